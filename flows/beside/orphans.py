"""A flow run whose worker is gone: it goes on to its end, without anybody who reads its lines or passes on a cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from rich.console import Console

from nightbench.processes import drop_broken_output, orphaned
from tasks.scrubbed_logs import prefect_handlers

ASK_SECONDS = 10.0
"""How often the server is asked whether the run is to be cancelled, once the worker is gone."""


def outlive_readers() -> None:
    """Let Prefect's lines go nowhere once nobody reads them: `rich`, which writes them, would exit the process."""
    for handler in prefect_handlers():
        console = getattr(handler, "console", None)
        if isinstance(console, Console):
            console.on_broken_pipe = partial(_go_nowhere, console)  # type: ignore[method-assign]


def _go_nowhere(console: Console) -> None:
    console.quiet = True
    drop_broken_output()


@asynccontextmanager
async def cancelled_unheard(run: FlowRun | None, tell: Callable[[], object]) -> AsyncIterator[None]:
    """Call `tell` when `run` is cancelled inside the block after its worker has gone."""
    watching = None if run is None else asyncio.create_task(_watch(run, tell))
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _watch(run: FlowRun, tell: Callable[[], object]) -> None:
    await orphaned()
    drop_broken_output()
    while not await is_cancelling(run):  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(ASK_SECONDS)
    tell()


async def is_cancelling(run: FlowRun) -> bool:
    """Whether a user has cancelled `run`; False where that cannot be learned."""
    with suppress(Exception):  # whatever it is: the server may be away
        async with asyncio.timeout(ASK_SECONDS / 2), get_client() as client:
            state = (await client.read_flow_run(run.id)).state
            return state is not None and (state.is_cancelling() or state.is_cancelled())
    return False
