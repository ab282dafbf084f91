"""The baseline flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.tier import run_tier
from nightbench.plan import DatabaseChanges, WebSocketChanges
from tasks.scrubbed import scrubbed


@flow(name="baseline", persist_result=False)
@scrubbed
async def baseline(
    websocket: WebSocketChanges | None = None,
    database: DatabaseChanges | None = None,
    quick: bool = False,
) -> State[Any] | None:
    """A moderate load: 50 users for 2 minutes, 5,000 queries.

    Args:
        websocket: What to change in the tier's WebSocket plan.
        database: What to change in the tier's database plan.
        quick: Keep the concurrency, cut the length to seconds.
    """
    return await run_tier("baseline", websocket, database, quick=quick)
