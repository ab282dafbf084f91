"""The workers: each a thread of the application that takes the next operation, waits for it and runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from nightbench.database.connection import means_gone
from nightbench.database.records import Records
from nightbench.database.session import Sessions
from nightbench.database.turns import Turn, Turns
from nightbench.database.workload import Workload
from nightbench.errors import ConfigurationError
from nightbench.load.backoff import pause_ns
from nightbench.load.phases import SECOND
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub

LONGEST_PAUSE_SECONDS = 1.0
"""Between two attempts of a worker to get at a server that is away."""

HAND_OVER_SECONDS = 50e-6
"""Between two operations of a closed worker where there are more workers than connections."""

_clock = time.perf_counter_ns


class Workers:
    """All workers of a run.

    Args:
        plan: How many they are, and whether they think.
        workload: What they run.
        sessions: What they run it with.
        records: Where they write it down.
        own: For each worker a tenant, and a row of it that this worker alone changes, or None.
        over: When set, each ends with the operation that it is at.

    Attributes:
        unstarted: What a worker had taken but not begun when the run was over.
        failure: What ended a worker that should have gone on, None as long as nothing has.
    """

    def __init__(
        self,
        plan: DatabasePlan,
        workload: Workload,
        sessions: Sessions,
        records: Records,
        *,
        own: Sequence[tuple[str, object]],
        over: threading.Event,
    ) -> None:
        self._plan = plan
        self._workload = workload
        self._sessions = sessions
        self._records = records
        self._own = own
        self._over = over
        # a thread that asks again at once has the connection which it gave back before those that waited for one are
        # awake, and they wait for ever; a request of an application does something else in between
        self._crowded = plan.workers > plan.pool_connections + plan.max_overflow
        self._busy_since = [0] * len(own)
        self._threads: list[threading.Thread] = []
        self.unstarted: list[Turn] = []
        self.failure: str | None = None

    def start(self, turns: Turns) -> None:
        """Start them all.

        Raises:
            ConfigurationError: when this machine does not start that many threads; some may run by then.
        """
        for worker in range(len(self._own)):
            # daemons: what is stuck in the database must not keep the process
            thread = threading.Thread(
                target=self._run, args=(worker, turns), name=f"worker-{worker}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                raise ConfigurationError(
                    "--workers",
                    self._plan.workers,
                    f"this machine started no more than {worker} threads",
                    "lower it",
                ) from None
            self._threads.append(thread)

    def alive(self) -> list[threading.Thread]:
        """Those that have not ended."""
        return [thread for thread in self._threads if thread.is_alive()]

    @property
    def active(self) -> int:
        """How many are at an operation."""
        return sum(since > 0 for since in self._busy_since)

    def silent_since(self) -> int | None:
        """Since when nothing has been answered although something was asked, monotonic ns; None when idle."""
        asked = [since for since in self._busy_since if since]
        return max(min(asked), self._records.last_heard) if asked else None

    def _run(self, worker: int, turns: Turns) -> None:
        try:
            self._take_turns(worker, turns)
        except Exception as error:  # noqa: BLE001  # told by whoever supervises
            self.failure = scrub(f"a worker failed: {type(error).__name__}: {error}")

    def _take_turns(self, worker: int, turns: Turns) -> None:
        lost = 0
        while not self._over.is_set():
            free = _clock()
            turn = turns.take(free)
            if turn is None:
                return
            ahead = turn.due - _clock()
            if ahead > 0:
                self._over.wait(ahead / SECOND)
            if self._over.is_set():
                self.unstarted.append(turn)
                return
            error = self._operate(worker, turn, ready=max(free, turn.due))
            lost = lost + 1 if error is not None and means_gone(error) else 0
            if self._plan.model == "closed":
                self._pause(worker, lost)

    def _pause(self, worker: int, lost: int) -> None:
        """Think; while the server is away, wait as an application would instead of spending the run's operations."""
        if lost:
            pause = pause_ns(lost - 1, user=worker, seed=self._plan.seed) / SECOND
            self._over.wait(min(pause, LONGEST_PAUSE_SECONDS))
        elif self._plan.think:
            self._over.wait(self._plan.think)
        elif self._crowded:
            time.sleep(HAND_OVER_SECONDS)

    def _operate(self, worker: int, turn: Turn, *, ready: int) -> str | None:
        """Run one operation; the class of its failure, None when it ended well."""
        statement = self._workload.statement(turn.index)
        tenant, own_row = self._workload.tenant(turn.index), None
        if statement.uses_own_row:
            # only rows that this run inserted are ever changed, each by one worker
            tenant, own_row = self._own[worker]
        parameters = self._workload.parameters(turn.index, tenant=tenant, own_row=own_row)
        self._records.begin(turn, statement)
        self._busy_since[worker] = _clock()
        transaction = self._sessions.transact(statement, parameters, tenant)
        self._records.end(worker, turn, statement, transaction, ready=ready)
        self._busy_since[worker] = 0
        return transaction.error
