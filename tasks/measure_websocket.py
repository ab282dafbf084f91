"""Step: the WebSocket load test."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.plan import Tier, WebSocketPlan
from nightbench.websocket import load_test
from tasks.scrubbed import scrubbed


@task(name="measure websocket", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def measure_websocket(night: Night, tier: Tier, plan: WebSocketPlan) -> Measurement:
    """Load the WebSocket as `plan` says."""
    with night.display(tier) as on_progress:
        return await load_test.run(
            plan, night.subject, night.label(tier), on_progress=on_progress, stop=night.stop
        )
