"""The full flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.tier import run_tier
from nightbench.plan import Blocks, DatabaseChanges, Reruns, TierChanges, WebSocketChanges
from tasks.crashed import crashed
from tasks.scrubbed import scrubbed


@flow(name="full", persist_result=False, on_crashed=[crashed])
@scrubbed
async def full(
    websocket: WebSocketChanges | None = None,
    database: DatabaseChanges | None = None,
    quick: bool = False,
    blocks: Blocks | None = 1,
    reruns: Reruns | None = 0,
) -> State[Any] | None:
    """The load that the promises are about: 100 users for 5 minutes, 10,000 queries.

    Args:
        websocket: What to change in the tier's WebSocket plan.
        database: What to change in the tier's database plan.
        quick: Keep the concurrency, cut the length to seconds.
        blocks: How often each suite runs, in turns; their median counts. None: as often as in a night.
        reruns: How often a suite is repeated in which something looks worse. None: as often as in a night.
    """
    changes = TierChanges.of(websocket, database, blocks=blocks, reruns=reruns)
    return await run_tier("full", changes, quick=quick)
