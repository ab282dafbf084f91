"""Suites are gathered side by side where there are many runs to read: other processes begin before this one is ready.

What a suite is gathered with takes seconds to import. Nothing of it is imported with this module, so that this
process and the others do it at the same time.
"""

from __future__ import annotations

import gc
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from nightbench.errors import MeasurementError, NightbenchError
from nightbench.history.root import storage_at
from nightbench.plan import Suite, Tier
from nightbench.settings import Settings

if TYPE_CHECKING:
    from nightbench.trend_report.suite_report import SuiteReport, Unread

MANY_RUNS = 1_500
"""From so many on it is quicker to read them in several processes, each of which takes a second to start."""

Job = tuple[Settings, Tier, Suite, int]
"""What `nightbench.trend_report.suite_report.suite_report` takes."""


def has_many_runs(settings: Settings) -> bool:
    """Whether the dataset has at least `MANY_RUNS`; one that cannot be looked into has none."""
    files = storage_at(settings.results).below("runs", lambda _folder, _error: None)
    return len(files) >= MANY_RUNS


def gathered(jobs: Sequence[Job], processes: int) -> list[SuiteReport | Unread]:
    """The report of each suite.

    Args:
        jobs: A suite each.
        processes: That may work, this one among them; with more than one it has to be called by the main thread.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
        MeasurementError: when another process could not look into it.
    """
    further = min(processes, len(jobs)) - 1
    left = deque(enumerate(jobs))
    if further <= 0:
        return list(_done(left, _gathered).values())
    # a process that others were forked from may have threads
    spawn = get_context("spawn")
    with (
        ProcessPoolExecutor(further, mp_context=spawn) as pool,
        ThreadPoolExecutor(further) as waiting,
    ):
        with _uninterrupted():
            for _ in range(further):
                pool.submit(int)  # begins a process
        others = [waiting.submit(_done, left, partial(_by_one_of, pool)) for _ in range(further)]
        try:
            found = _done(left, _gathered)
            for each in others:
                found |= each.result()
        finally:
            left.clear()  # nobody begins another one
    return [found[place] for place in range(len(jobs))]


def _done(
    left: deque[tuple[int, Job]], by: Callable[[Job], SuiteReport | Unread]
) -> dict[int, SuiteReport | Unread]:
    """One job after the other, until none is left; several may take from the same ones."""
    found: dict[int, SuiteReport | Unread] = {}
    while True:
        try:
            place, job = left.popleft()
        except IndexError:
            return found
        found[place] = by(job)


def _gathered(job: Job) -> SuiteReport | Unread:
    return _suite_report()(*job)


@cache
def _suite_report() -> Callable[[Settings, Tier, Suite, int], SuiteReport | Unread]:
    """Import it, out of sight of the collector of garbage, as nothing of it is.

    The collector takes a seventh of the import, and half a second of the end of every process that has it all.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        from nightbench.trend_report.suite_report import suite_report  # noqa: PLC0415  # see the module
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
    return suite_report


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What begins in it never hears of Ctrl-C: whoever began it ends it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _by_one_of(pool: ProcessPoolExecutor, job: Job) -> SuiteReport | Unread:
    try:
        return pool.submit(_by_another, job).result()
    except BrokenExecutor:
        raise MeasurementError("a process that read a part of the history was ended") from None


def _by_another(job: Job) -> SuiteReport | Unread:
    try:
        return _gathered(job)
    except NightbenchError as error:  # of more than one word, which does not come through to another process
        raise MeasurementError(str(error)) from None
