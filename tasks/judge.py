"""Step: what was measured against earlier nights."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.night import Night
from nightbench.plan import Tier
from nightbench.verdict.verdict import SuiteVerdict
from tasks.scrubbed import scrubbed


@task(name="judge", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def judge(night: Night, tier: Tier) -> tuple[SuiteVerdict, ...]:
    """Judge what was recorded of a tier."""
    return night.judge(tier)
