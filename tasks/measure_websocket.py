"""Step: the WebSocket load test."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.blocks import Turn
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.plan import TierPlan
from tasks.scrubbed import scrubbed


@task(name="measure websocket", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def measure_websocket(night: Night, plan: TierPlan, turn: Turn) -> Measurement:
    """Load the WebSocket as `plan` says."""
    return await night.measure(plan, turn)
