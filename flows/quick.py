"""The quick flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.tier import run_tier
from nightbench.plan import DatabaseChanges, WebSocketChanges
from tasks.scrubbed import scrubbed


@flow(name="quick", persist_result=False)
@scrubbed
async def quick(
    websocket: WebSocketChanges | None = None,
    database: DatabaseChanges | None = None,
    quick: bool = False,
) -> State[Any] | None:
    """A smoke test: 10 users for a minute, 1,000 queries.

    Args:
        websocket: What to change in the tier's WebSocket plan.
        database: What to change in the tier's database plan.
        quick: Keep the concurrency, cut the length to seconds.
    """
    return await run_tier("quick", websocket, database, quick=quick)
