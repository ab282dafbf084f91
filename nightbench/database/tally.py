"""What a database stress test counted and timed; used by one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from nightbench.database.degradation import Course, CourseRecorder
from nightbench.load.ledger import Ledger, OperationCounts, Outcome
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline, Times

QUERY: Final = "query"
WARMUP: Final = -1
"""For the place of an operation among those that count: it does not."""

Columns = npt.NDArray[np.int64]

DUE = ("statement", "place", "scheduled")
"""What is known of an operation that is due: which statement, its place among all that count, and the instant."""
ENDED = (
    *("statement", "place", "attempts", "rows", "leaked"),
    *("scheduled", "ready", "sent", "acquired", "began", "executed", "committed", "last"),
)
"""What is known of one that ended: see `Transaction`; instants in monotonic ns."""

_STATEMENT, _PLACE, _ATTEMPTS, _ROWS, _LEAKED, _SCHEDULED = range(6)
_LAST = len(ENDED) - 1
_INSTANTS = ENDED[_SCHEDULED:]
_QUANTITIES = {
    "query.response_time": ("scheduled", "last"),
    "query.service_time": ("sent", "last"),
    "query.send_lag": ("ready", "sent"),
    "query.worker_wait": ("scheduled", "ready"),
    "pool.wait": ("sent", "acquired"),
    "query.begin_time": ("acquired", "began"),
    "query.execute_time": ("began", "executed"),
    "query.commit_time": ("executed", "committed"),
}
_BY_SECOND = ("query.response_time", "query.service_time", "query.execute_time", "pool.wait")
_FAILURE = "query.failure_time"

_TIMEOUTS = frozenset({"pool_timeout", "connect_timeout", "sqlstate_57014", "sqlstate_55P03"})
"""It waited for too long: for a connection, for an answer, for a lock."""


class Tally:
    """Counts and times operations, many at once.

    All that it takes is told as columns: a row for each of `DUE` or `ENDED`, in it each operation's.

    Args:
        statements: The names of those of the mix; elsewhere a statement is its place among these.
        operations: Of the measure phase by the plan, of all processes.

    Attributes:
        last_due: When the last counted operation that was begun was due, monotonic ns; 0 without one.
        last_ok: When the last counted operation that ended well did, monotonic ns; 0 when none has.
        leaked: Rows read that belonged to another tenant, in all phases.
        retries: Attempts beyond the first of each counted operation.
        retried: How many counted operations had more than one.
        rows: What the counted operations that ended well read or changed, by operation.
    """

    def __init__(self, statements: Iterable[str], *, operations: int) -> None:
        self._names = tuple(map(operation_of, statements))
        self._ledger = Ledger(*self._names)
        self._queries = Timeline(_INSTANTS, _QUANTITIES, by_second=_BY_SECOND)
        self._statements = tuple(
            Timeline(
                _INSTANTS,
                {
                    f"{name}.response_time": ("scheduled", "last"),
                    f"{name}.execute_time": ("began", "executed"),
                },
                by_second=(),
            )
            for name in self._names
        )
        self._failures = Timeline(_INSTANTS, {_FAILURE: ("sent", "last")}, by_second=(_FAILURE,))
        self._course = CourseRecorder(operations)
        self.last_due = self.last_ok = self.leaked = self.retries = self.retried = 0
        self.rows = Counter(dict.fromkeys(self._names, 0))

    # what happened

    def begun(self, due: Columns, origin: int) -> None:
        """Operations were due and workers had them; `origin` is when the measure phase begins, monotonic ns."""
        for account, number in self._accounts(due):
            account.schedule(number)
        counted = _counted(due)
        self.last_due = max(self.last_due, self._due(counted[-1], origin))

    def skipped(self, due: Columns, origin: int) -> None:
        """Operations were due, but no worker came to them before the run ended.

        They would have taken longer than all that ended, by nobody knows how much.
        """
        for account, number in self._accounts(due):
            account.schedule(number)
            account.end(Outcome.SKIPPED, "not_started", number)
        counted = _counted(due)
        self._due(counted[-1], origin)
        columns = np.full((len(ENDED), counted.shape[1]), NOT_REACHED, np.int64)
        columns[[_STATEMENT, _PLACE, _SCHEDULED]] = counted
        columns[[_SCHEDULED + 1, _LAST]] = NEVER
        self._time(columns, origin)

    def succeeded(self, ended: Columns, origin: int) -> None:
        """Operations that were begun ended well."""
        for account, number in self._accounts(ended):
            account.end(Outcome.OK, None, number)
        self._course.complete(ended[_LAST] - origin)
        counted = _counted(ended)
        self.last_ok = int(counted[_LAST].max(initial=self.last_ok))
        for statement, rows in enumerate(np.bincount(counted[_STATEMENT], counted[_ROWS])):
            self.rows[self._names[statement]] += int(rows)
        self._retry(counted)
        self._time(counted, origin)

    def failed(self, ended: Columns, errors: Sequence[str], origin: int) -> None:
        """Operations that were begun ended in errors of these classes."""
        timed_out = np.fromiter((error in _TIMEOUTS for error in errors), bool, len(errors))
        for error in sorted(set(errors)):
            here = ended[:, np.fromiter((each == error for each in errors), bool, len(errors))]
            outcome = Outcome.TIMED_OUT if error in _TIMEOUTS else Outcome.FAILED
            for account, number in self._accounts(here):
                account.end(outcome, error, number)
        self.leaked += int(ended[_LEAKED].sum())
        self._retry(_counted(ended))
        # what timed out has waited; how soon another failure came says nothing of how long one has to wait
        self._time(_counted(ended[:, timed_out]), origin)
        self._failures.add(_counted(ended[:, ~timed_out])[_SCHEDULED:], origin)

    def _accounts(self, columns: Columns) -> Iterator[tuple[OperationCounts, int]]:
        """The accounts that operations belong to, with how many of them do."""
        for counted in (True, False):
            here = columns[_STATEMENT][(columns[_PLACE] != WARMUP) == counted]
            for statement, number in enumerate(np.bincount(here)):
                if number:
                    yield self._ledger.account(self._names[statement], counted=counted), int(number)

    def _due(self, instants: Columns, origin: int) -> int:
        """The last of the instants at which counted operations were due, 0 without any."""
        last = int(instants.max(initial=0))
        if last:
            self._course.due(last - origin)
        return last

    def _retry(self, counted: Columns) -> None:
        self.retries += int((counted[_ATTEMPTS] - 1).sum())
        self.retried += int((counted[_ATTEMPTS] > 1).sum())

    def _time(self, counted: Columns, origin: int) -> None:
        """Take the times of those that had to wait for their end."""
        instants = counted[_SCHEDULED:]
        self._queries.add(instants, origin)
        for statement in np.unique(counted[_STATEMENT]):
            self._statements[statement].add(instants[:, counted[_STATEMENT] == statement], origin)
        last = counted[_LAST]
        self._course.respond(counted[_PLACE], np.where(last == NEVER, NEVER, last - counted[_SCHEDULED]))

    # how it stands

    def times(self) -> tuple[Times, ...]:
        """All times."""
        return tuple(each.times() for each in (self._queries, self._failures, *self._statements))

    def course(self) -> Course:
        """How response times and throughput went over the run."""
        return self._course.course()

    def p95_ms(self) -> float | None:
        """P95 response time, for display."""
        return self._queries.totals["query.response_time"].quantile_ms_of_any(0.95)

    def ended(self) -> int:
        """How many operations have ended, of all phases."""
        return _ended(self._ledger.uncounted) + self.ended_counted()

    def ended_counted(self) -> int:
        """How many of those that count have ended."""
        return _ended(self._ledger.counted)

    def failures(self) -> int:
        """How many of all failed, timed out or were skipped."""
        return self._ledger.failures

    def counted(self) -> dict[str, OperationCounts]:
        """The accounts of the measure phase: of all operations, and by statement."""
        return _with_sum(self._ledger.counted)

    def uncounted(self) -> dict[str, OperationCounts]:
        """The same of the warm-up."""
        return _with_sum(self._ledger.uncounted)


def operation_of(statement: str) -> str:
    """The operation kind of one statement of the mix, such as ``query[expense_listing]``."""
    return f"{QUERY}[{statement}]"


def _counted(columns: Columns) -> Columns:
    return columns[:, columns[_PLACE] != WARMUP]


def _ended(accounts: dict[str, OperationCounts]) -> int:
    return sum(account.scheduled - account.in_flight for account in accounts.values())


def _with_sum(accounts: dict[str, OperationCounts]) -> dict[str, OperationCounts]:
    copies = {name: account + OperationCounts() for name, account in accounts.items()}
    return {QUERY: sum(copies.values(), OperationCounts()), **copies}
