"""The stress flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.tier import run_tier
from nightbench.plan import DatabaseChanges, WebSocketChanges
from tasks.scrubbed import scrubbed


@flow(name="stress", persist_result=False)
@scrubbed
async def stress(
    websocket: WebSocketChanges | None = None,
    database: DatabaseChanges | None = None,
    quick: bool = False,
) -> State[Any] | None:
    """Past the usual: 200 users for 10 minutes, 50,000 queries on 50 workers.

    Args:
        websocket: What to change in the tier's WebSocket plan.
        database: What to change in the tier's database plan.
        quick: Keep the concurrency, cut the length to seconds.
    """
    return await run_tier("stress", websocket, database, quick=quick)
