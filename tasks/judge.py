"""Step: what was measured beside earlier runs."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.verdict.verdict import SuiteVerdict
from tasks.scrubbed import scrubbed


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def judge(night: Night, measurement: Measurement) -> SuiteVerdict:
    """Judge a recorded measurement."""
    return night.judge(measurement)
