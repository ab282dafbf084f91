"""The full flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.tier import run_tier
from nightbench.plan import DatabaseChanges, WebSocketChanges
from tasks.scrubbed import scrubbed


@flow(name="full", persist_result=False)
@scrubbed
async def full(
    websocket: WebSocketChanges | None = None,
    database: DatabaseChanges | None = None,
    quick: bool = False,
) -> State[Any] | None:
    """The load that the promises are about: 100 users for 5 minutes, 10,000 queries.

    Args:
        websocket: What to change in the tier's WebSocket plan.
        database: What to change in the tier's database plan.
        quick: Keep the concurrency, cut the length to seconds.
    """
    return await run_tier("full", websocket, database, quick=quick)
