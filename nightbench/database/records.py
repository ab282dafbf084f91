"""What many threads write down of a running database stress test, cheaply, and one counts and times."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

import numpy as np

from nightbench.database.connection import means_gone
from nightbench.database.session import Transaction
from nightbench.database.tally import DUE, ENDED, WARMUP, Columns, Tally
from nightbench.database.turns import Turn
from nightbench.database.workload import Statement

_Row = tuple[int, ...]
_Any = TypeVar("_Any")


class Records(Tally):
    """The tally of a run that is going on.

    A worker only appends what happened: one step, which no other thread can come between, and which costs less
    than counting it. `fold` counts and times it. Hence what the tally says is as it was at the last fold.

    Args:
        statements: Of the mix.
        workers: Of this process.
        operations: Of the measure phase by the plan, of all processes.
    """

    def __init__(self, statements: Sequence[Statement], *, workers: int, operations: int) -> None:
        super().__init__([statement.name for statement in statements], operations=operations)
        self._numbers = {statement.name: number for number, statement in enumerate(statements)}
        self._begun: deque[_Row] = deque()
        self._succeeded: deque[_Row] = deque()
        self._failed: deque[tuple[str, _Row]] = deque()
        self._skipped: deque[_Row] = deque()
        self._failing: tuple[int, int] | None = None
        self._heard = [0] * workers
        self._closed = False

    # by any worker

    def begin(self, turn: Turn, statement: Statement) -> None:
        """An operation is due and a worker has it."""
        self._begun.append(self._due_row(turn, statement))

    def end(
        self, worker: int, turn: Turn, statement: Statement, transaction: Transaction, *, ready: int
    ) -> None:
        """It ended; `ready` is when it was due and the worker was free."""
        if self._closed:
            return
        done = transaction
        self._heard[worker] = done.last
        row = (
            self._numbers[statement.name],
            WARMUP if turn.counted is None else turn.counted,
            done.attempts,
            done.rows,
            done.leaked,
            turn.due,
            ready,
            done.sent,
            done.acquired,
            done.began,
            done.executed,
            done.committed,
            done.last,
        )
        if done.error is None:
            self._failing = None
            self._succeeded.append(row)
        else:
            self._watch(done.error, done.last)
            self._failed.append((done.error, row))

    def _watch(self, error: str, last: int) -> None:
        """Notice a server that is not there any more."""
        if not means_gone(error):
            self._failing = None
            return
        failing = self._failing  # read once: another worker may be heard in between
        since = failing[0] if failing else last
        self._failing = (since, max(since, last))

    def _due_row(self, turn: Turn, statement: Statement) -> _Row:
        return self._numbers[statement.name], WARMUP if turn.counted is None else turn.counted, turn.due

    # by the one thread that supervises them

    def skip(self, turn: Turn, statement: Statement) -> None:
        """It was due, but no worker came to it before the run ended."""
        self._skipped.append(self._due_row(turn, statement))

    def close(self) -> None:
        """Record no end any more: a worker that is stuck may wake at any time; what it had begun stays in flight."""
        self._closed = True

    @property
    def failing_ns(self) -> int:
        """From the first to the last of the connection failures since anything else ended, in ns; at this instant."""
        failing = self._failing
        return failing[1] - failing[0] if failing else 0

    @property
    def last_heard(self) -> int:
        """When the last operation of any phase ended, monotonic ns; 0 when none has; at this instant."""
        return max(self._heard)

    def fold(self, origin: int) -> None:
        """Count and time what happened, about once a second.

        Args:
            origin: When the measure phase begins, monotonic ns.
        """
        # ends before begins: what has ended by now has begun by then
        succeeded, failed = _drained(self._succeeded), _drained(self._failed)
        self.begun(_columns(_drained(self._begun), len(DUE)), origin)
        self.succeeded(_columns(succeeded, len(ENDED)), origin)
        self.failed(_columns([row for _, row in failed], len(ENDED)), [error for error, _ in failed], origin)
        self.skipped(_columns(_drained(self._skipped), len(DUE)), origin)


def _drained(pending: deque[_Any]) -> list[_Any]:
    return [pending.popleft() for _ in range(len(pending))]


def _columns(rows: Sequence[_Row], width: int) -> Columns:
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * width)
    return np.ascontiguousarray(flat.reshape(-1, width).T)
