"""Processes of flow runs on this machine: those that a ``nightbench serve`` answers for, and how they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import psutil

SERVED_BY = "SERVED_BY_NIGHTBENCH"
"""In the environment of a run: the `nightbench serve` that it belongs to, also when its worker was killed under it."""
GRACE_SECONDS = 60.0
"""What a run has to drain its load, save what it measured and tell; then it is killed."""
_TICK = 0.2


def runs_of(served_by: str, *, but_of: int | None = None) -> list[psutil.Process]:
    """The runs that live on this machine and belong to a `nightbench serve`, but for those of its worker `but_of`."""
    return [
        process
        for process in psutil.process_iter()
        if "prefect.engine" in _words(process)
        and _served_by(process) == served_by
        and (but_of is None or but_of not in _above(process))
    ]


async def end_runs(runs: Sequence[psutil.Process]) -> None:
    """SIGTERM to each, which ends early by it; what has not ended after `GRACE_SECONDS` is killed."""
    for run in runs:
        with suppress(psutil.Error):
            run.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            while any(map(_lives, runs)):  # noqa: ASYNC110  # processes tell nobody
                await asyncio.sleep(_TICK)
    kill_runs([run for run in runs if _lives(run)])


def kill_runs(runs: Sequence[psutil.Process]) -> None:
    """End `runs` at once, with all that they have started."""
    for run in runs:
        with suppress(psutil.Error):
            for process in (*run.children(recursive=True), run):
                process.kill()


def _lives(run: psutil.Process) -> bool:
    # its own `wait` would take the exit code away from who started it
    with suppress(psutil.Error):
        return run.is_running() and run.status() != psutil.STATUS_ZOMBIE
    return False


def _above(process: psutil.Process) -> list[int]:
    with suppress(psutil.Error):
        return [each.pid for each in process.parents()]
    return []


def _words(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _served_by(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):  # another user's
        return process.environ().get(SERVED_BY)
    return None
