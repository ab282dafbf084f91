"""The worker of ``nightbench serve``: ``python -m flows.serving.worker_process POOL``.

It waits for one line on its standard input, which says that the work pool is there. When its standard input
ends, or on SIGTERM, it takes no more runs, tells those under way to end early, and waits for them.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import psutil
from prefect.workers import process as of_processes
from prefect.workers.process import ProcessWorker, ProcessWorkerResult

from flows.serving.run_ahead import Ahead, RunStarter
from flows.serving.runs_here import end_runs
from flows.serving.worker_name import WORKER_NAME
from nightbench.processes import watch_lifeline

_LOOKS = 3
"""While a run is under way the worker asks its server once instead of so many times: what it costs is measured too."""


async def _work(pool: str, stop: asyncio.Event) -> None:
    worker = ProcessWorker(work_pool_name=pool, name=WORKER_NAME)
    take, run = worker.get_and_submit_flow_runs, worker.run
    looks, under_way, ahead = itertools.count(), 0, Ahead()
    # for which Prefect has no parameter
    of_processes.WorkspaceResolvingEngineCommandStarter = partial(RunStarter, ahead)  # type: ignore[assignment,attr-defined]

    async def take_until_told() -> list:  # type: ignore[type-arg]
        if stop.is_set() or (next(looks) % _LOOKS and under_way):
            return []
        return await take()

    async def counted(*args: Any, **kwargs: Any) -> ProcessWorkerResult:
        nonlocal under_way
        under_way += 1
        try:
            return await run(*args, **kwargs)
        finally:
            under_way -= 1
            if not (under_way or stop.is_set()):  # or else it would take from what is measured
                await ahead.start()

    worker.get_and_submit_flow_runs = take_until_told  # type: ignore[method-assign]
    worker.run = counted  # type: ignore[method-assign]
    working = asyncio.create_task(worker.start())
    await ahead.start()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await end_runs(psutil.Process().children())
        await asyncio.sleep(1)  # for the last word of each run to reach the server
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def main(pool: str) -> None:
    """Work until told to end."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to decide on

    def parent_died() -> None:
        loop.call_soon_threadsafe(stop.set)

    watch_lifeline(parent_died)
    await _work(pool, stop)


if __name__ == "__main__":
    if not os.read(sys.stdin.fileno(), 64):
        sys.exit()
    asyncio.run(main(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
