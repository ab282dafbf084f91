"""The worker of ``nightbench serve``: ``python -m flows.serving.worker_process POOL``.

It waits for one line on its standard input, which says that the work pool is there. When its standard input
ends, or on SIGTERM, it takes no more runs, tells those under way to end early, and waits for them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import psutil
from prefect.workers.process import ProcessWorker

from flows.serving.lost_runs import WORKER_NAME
from nightbench.processes import watch_lifeline

GRACE_SECONDS = 60.0
"""What a run has to drain its load, save what it measured and tell; then it is killed."""
_TICK = 0.2


async def _work(pool: str, stop: asyncio.Event) -> None:
    worker = ProcessWorker(work_pool_name=pool, name=WORKER_NAME)
    take = worker.get_and_submit_flow_runs

    async def take_until_told() -> list:  # type: ignore[type-arg]
        return [] if stop.is_set() else await take()

    worker.get_and_submit_flow_runs = take_until_told  # type: ignore[method-assign]
    working = asyncio.create_task(worker.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await _end_runs()
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def _end_runs() -> None:
    """SIGTERM to each run, which ends early by it; what has not ended by then is killed with all it has started."""
    runs = psutil.Process().children()
    for run in runs:
        with suppress(psutil.Error):
            run.terminate()
    await _ended(runs)
    for run in filter(_lives, runs):
        with suppress(psutil.Error):
            for process in (*run.children(recursive=True), run):
                process.kill()
    await asyncio.sleep(1)  # for the last word of each run to reach the server


async def _ended(runs: Sequence[psutil.Process]) -> None:
    """Return when none of `runs` lives, or after `GRACE_SECONDS`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            while any(map(_lives, runs)):  # noqa: ASYNC110  # processes tell nobody
                await asyncio.sleep(_TICK)


def _lives(run: psutil.Process) -> bool:
    # its own `wait` would take the exit code away from who started it
    with suppress(psutil.Error):
        return run.is_running() and run.status() != psutil.STATUS_ZOMBIE
    return False


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
