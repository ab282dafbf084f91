"""Step: what was measured goes to disk, before anything is said about it."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.history.store import SavedRun
from nightbench.measurement import Measurement
from nightbench.night import Night
from tasks.scrubbed import scrubbed


@task(name="record", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def record(night: Night, measurement: Measurement) -> SavedRun:
    """Save a measurement with its targets as Parquet."""
    return night.record(measurement)
