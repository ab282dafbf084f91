"""What a contender costs while it loads the database: a window in the middle of its run.

Every transaction is counted by the server and every CPU-second by the kernel, of the whole tree of processes that
the contender is made of. What it takes to start and to end is in no window.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.database import Database, Served
from benchmarks.processes import ROOT, ContenderError, run, tree_cpu_seconds

_UNDER_WAY = 500
"""Transactions after which a contender is under way."""
_SETTLE_SECONDS = 1.0
_START_AND_END_SECONDS = 60.0
_FEWEST_ROWS = 15
"""Of a transaction, on average: a page has up to 20, and a wrong tenant none at all."""


@dataclass(frozen=True)
class Window:
    """What the server did and the contender took in the same seconds."""

    transactions: int
    rows: int
    cpu_seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Transactions that a second of CPU bought."""
        return self.transactions / self.cpu_seconds


def window(
    name: str,
    command: Sequence[str],
    subject: Database,
    *,
    seconds: float,
    environment: Mapping[str, str],
    folder: Path = ROOT,
) -> Window:
    """Start a contender that loads without end, look at `seconds` of it, and end it.

    Args:
        name: For people.
        command: What to start.
        subject: What it loads.
        seconds: Length of the window.
        environment: Of the contender.
        folder: Where it runs.

    Raises:
        ContenderError: when it ended before, or did something else than it should.
    """
    watch = _Watch(subject, seconds)
    cost = run(
        command,
        environment=environment,
        folder=folder,
        within=seconds + _START_AND_END_SECONDS,
        on_sample=watch,
    )
    if watch.began is None or watch.ended is None:
        said = (cost.errors or cost.output)[-2000:]
        msg = f"{name} ended with exit code {cost.exit_code} before it was measured: {said}"
        raise ContenderError(msg)
    measured = watch.ended.since(watch.began)
    if measured.rows < _FEWEST_ROWS * measured.transactions or not measured.transactions:
        msg = f"{name} was given {measured.rows:,} rows by {measured.transactions:,} listings"
        raise ContenderError(msg)
    return measured


@dataclass(frozen=True)
class _Reading:
    served: Served
    cpu_seconds: float

    def since(self, earlier: _Reading) -> Window:
        return Window(
            self.served.transactions - earlier.served.transactions,
            self.served.rows - earlier.served.rows,
            self.cpu_seconds - earlier.cpu_seconds,
        )


class _Watch:
    """Reads twice, once under way and once at the end, and then ends the contender."""

    def __init__(self, subject: Database, seconds: float) -> None:
        self._subject = subject
        self._seconds = seconds
        self._before = subject.served().transactions
        self._due: float | None = None
        self.began: _Reading | None = None
        self.ended: _Reading | None = None

    def __call__(self, process: psutil.Process) -> None:
        now = time.monotonic()
        if self._due is None:
            if self._subject.served().transactions - self._before >= _UNDER_WAY:
                self._due = now + _SETTLE_SECONDS
        elif now >= self._due and self.began is None:
            self.began = self._read(process)
            self._due = now + self._seconds
        elif now >= self._due and self.ended is None:
            self.ended = self._read(process)
            process.terminate()

    def _read(self, process: psutil.Process) -> _Reading:
        return _Reading(self._subject.served(), tree_cpu_seconds(process))
