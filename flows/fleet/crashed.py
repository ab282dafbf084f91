"""What Prefect is told of a shard that cannot tell it itself any more."""

from __future__ import annotations

import asyncio
from uuid import UUID

from prefect import get_client
from prefect.states import Crashed

from nightbench.scrub import one_line

TELL_SECONDS = 5.0


async def tell_crashed(task_run_id: UUID, why: Exception) -> None:
    """End the task run of a shard that was lost: it would be shown as running for ever.

    It is of no importance to the load test: where nobody knows the run, or answers, it stays as it is.
    """
    try:
        async with asyncio.timeout(TELL_SECONDS), get_client() as client:
            await client.set_task_run_state(task_run_id, Crashed(message=one_line(str(why))), force=True)
    except Exception:  # noqa: BLE001, S110  # whatever it is, the night's own account has the reason
        pass
