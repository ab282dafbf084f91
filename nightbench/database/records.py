"""The account and the times of a running database stress test, written by many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from nightbench.database.connection import means_gone
from nightbench.database.degradation import Segments
from nightbench.database.session import Transaction
from nightbench.database.turns import Turn
from nightbench.database.workload import Statement
from nightbench.load.ledger import Ledger, OperationCounts, Outcome
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline, Times

QUERY = "query"

_TIMEOUTS = frozenset({"pool_timeout", "connect_timeout", "sqlstate_57014"})

_INSTANTS = ("scheduled", "ready", "sent", "acquired", "began", "executed", "committed", "last")
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


class Records:
    """Everything that is counted and timed.

    Each worker has a ledger of its own, since counting is not atomic; times may come from any thread.
    Once closed, what still ends stays in flight.
    """

    def __init__(self, statements: Sequence[Statement], *, workers: int, operations: int) -> None:
        names = (QUERY, *(operation_of(statement) for statement in statements))
        self._ledgers = [Ledger(*names) for _ in range(workers)]
        self._queries = Timeline(_INSTANTS, _QUANTITIES, by_second=_BY_SECOND)
        self._statements = {
            statement.name: Timeline(
                ("scheduled", "began", "executed", "last"),
                {
                    f"{operation_of(statement)}.response_time": ("scheduled", "last"),
                    f"{operation_of(statement)}.execute_time": ("began", "executed"),
                },
                by_second=(),
            )
            for statement in statements
        }
        self._failures = Timeline(
            ("scheduled", "sent", "last"),
            {"query.failure_time": ("sent", "last")},
            by_second=("query.failure_time",),
        )
        self._segments = Segments(operations)
        self._failing: tuple[int, int] | None = None
        self._locks = [threading.Lock() for _ in range(workers)]
        self._closed = False
        # by worker as well: adding to one number from many threads loses some
        self._heard = [0] * workers
        self._last_due = [0] * workers
        self._last_ok = [0] * workers
        self._leaked = [0] * workers
        self._retries = [0] * workers

    def begin(self, worker: int, turn: Turn, statement: Statement) -> None:
        """An operation is due and a worker has it."""
        for account in self._accounts(worker, turn, statement):
            account.schedule()
        if turn.counted is not None:
            self._last_due[worker] = turn.due

    def end(
        self, worker: int, turn: Turn, statement: Statement, transaction: Transaction, *, ready: int
    ) -> None:
        """It ended; `ready` is when it was due and the worker was free."""
        with self._locks[worker]:
            if not self._closed:
                self._end(worker, turn, statement, transaction, ready)

    def _end(
        self, worker: int, turn: Turn, statement: Statement, transaction: Transaction, ready: int
    ) -> None:
        outcome = _outcome(transaction.error)
        for account in self._accounts(worker, turn, statement):
            account.end(outcome, transaction.error)
        self._watch(transaction)
        self._heard[worker] = transaction.last
        self._leaked[worker] += transaction.leaked
        if turn.counted is None:
            return
        self._retries[worker] += transaction.attempts - 1
        if outcome is Outcome.OK:
            self._last_ok[worker] = transaction.last
        self._time(turn, statement, transaction, outcome, ready)

    def close(self) -> None:
        """Record no more: a worker that is stuck may wake at any time."""
        self._closed = True
        for lock in self._locks:  # whoever is recording comes to an end
            with lock:
                pass

    def skip(self, turn: Turn, statement: Statement) -> None:
        """It was due, but no worker came to it before the run ended; from one thread, when no worker records.

        It would have taken longer than all that ended, by nobody knows how much.
        """
        for account in self._accounts(0, turn, statement):
            account.schedule()
            account.end(Outcome.SKIPPED, "not_started")
        if turn.counted is None:
            return
        self._queries.record((turn.due, NEVER, *[NOT_REACHED] * (len(_INSTANTS) - 3), NEVER))
        self._statements[statement.name].record((turn.due, NOT_REACHED, NOT_REACHED, NEVER))
        self._segments.miss(turn.counted)

    def _time(
        self, turn: Turn, statement: Statement, transaction: Transaction, outcome: Outcome, ready: int
    ) -> None:
        assert turn.counted is not None
        due, done = turn.due, transaction
        if outcome is Outcome.FAILED:
            self._failures.record((due, done.sent, done.last))
            return
        self._queries.record(
            (due, ready, done.sent, done.acquired, done.began, done.executed, done.committed, done.last)
        )
        self._statements[statement.name].record((due, done.began, done.executed, done.last))
        self._segments.record(turn.counted, done.last - due)

    def _watch(self, transaction: Transaction) -> None:
        """Notice a server that is not there any more."""
        if transaction.error is None or not means_gone(transaction.error):
            self._failing = None
        else:
            since = self._failing[0] if self._failing else transaction.last
            self._failing = (since, max(since, transaction.last))

    @property
    def failing_ns(self) -> int:
        """From the first to the last of the connection failures since anything else ended, in ns."""
        failing = self._failing
        return failing[1] - failing[0] if failing else 0

    @property
    def last_heard(self) -> int:
        """When the last operation of any phase ended, monotonic ns; 0 when none has."""
        return max(self._heard)

    def _accounts(self, worker: int, turn: Turn, statement: Statement) -> Iterable[OperationCounts]:
        ledger, counted = self._ledgers[worker], turn.counted is not None
        return (
            ledger.account(QUERY, counted=counted),
            ledger.account(operation_of(statement), counted=counted),
        )

    def fold(self, origin: int) -> None:
        """Move what was recorded into histograms; from one thread, about once a second."""
        for timeline in self._timelines:
            timeline.fold(origin)
        self._segments.fold()

    @property
    def _timelines(self) -> tuple[Timeline, ...]:
        return (self._queries, self._failures, *self._statements.values())

    def times(self) -> tuple[Times, ...]:
        """All times that have been folded."""
        return tuple(timeline.times() for timeline in self._timelines)

    def segment_ms(self) -> tuple[float, ...]:
        """The response time by which the segments of the run are compared: see `Segments`."""
        return tuple(self._segments.values_ms())

    @property
    def segment_quantile(self) -> float:
        """Which quantile that is."""
        return self._segments.quantile

    @property
    def last_due(self) -> int:
        """When the last counted operation that a worker began was due, monotonic ns; 0 without one."""
        return max(self._last_due)

    @property
    def last_ok(self) -> int:
        """When the last counted operation that ended well did, monotonic ns; 0 when none has."""
        return max(self._last_ok)

    @property
    def leaked(self) -> int:
        """Rows read that belonged to another tenant."""
        return sum(self._leaked)

    @property
    def retries(self) -> int:
        """Attempts beyond the first of each counted operation."""
        return sum(self._retries)

    def p95_ms(self) -> float | None:
        """P95 response time so far, for display."""
        return self._queries.totals["query.response_time"].quantile_ms_of_any(0.95)

    def ended(self) -> int:
        """How many operations have ended, of all phases."""
        warmup = sum(_ended(ledger.uncounted[QUERY]) for ledger in self._ledgers)
        return warmup + self.ended_counted()

    def ended_counted(self) -> int:
        """How many of those that count have ended."""
        return sum(_ended(ledger.counted[QUERY]) for ledger in self._ledgers)

    def failures(self) -> int:
        """How many of them failed, timed out or were skipped."""
        return sum(
            ledger.counted[QUERY].failures + ledger.uncounted[QUERY].failures for ledger in self._ledgers
        )

    def counted(self) -> dict[str, OperationCounts]:
        """The accounts of the measure phase, of all workers together."""
        return _sum([ledger.counted for ledger in self._ledgers])

    def uncounted(self) -> dict[str, OperationCounts]:
        """The accounts of the warm-up, of all workers together."""
        return _sum([ledger.uncounted for ledger in self._ledgers])


def operation_of(statement: Statement) -> str:
    """The operation kind of one statement of the mix, such as ``query[expense_listing]``."""
    return f"{QUERY}[{statement.name}]"


def _ended(account: OperationCounts) -> int:
    return account.scheduled - account.in_flight


def _outcome(error: str | None) -> Outcome:
    if error is None:
        return Outcome.OK
    return Outcome.TIMED_OUT if error in _TIMEOUTS else Outcome.FAILED


def _sum(accounts: Sequence[dict[str, OperationCounts]]) -> dict[str, OperationCounts]:
    return {name: sum((account[name] for account in accounts), OperationCounts()) for name in accounts[0]}
