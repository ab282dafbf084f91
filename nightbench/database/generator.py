"""The database load generator: worker threads over one pool, paced by one schedule.

It runs in a process of its own (see `nightbench.load.child`) and returns plain data.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from uuid import UUID

import psycopg

from nightbench.database.checks import (
    as_configuration_errors,
    check_workload,
    missing_tenants,
    server_facts,
)
from nightbench.database.own_rows import TAG_PREFIX, exclusive_connection, insert_rows, remove_rows
from nightbench.database.records import Records
from nightbench.database.session import PoolCounts, Sessions
from nightbench.database.turns import Turn, Turns, phases_of
from nightbench.database.workload import PAM_MIX, Draw, Statement, Workload
from nightbench.errors import ConfigurationError
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import SECOND, Phases
from nightbench.load.progress import OnProgress, Progress
from nightbench.load.timeline import Times
from nightbench.plan import DatabasePlan
from nightbench.tenants import tenant_id

SUBJECT_LOST_SECONDS = 3.0
"""How long nothing but connection failures may come before the run is given up."""
INTERRUPTED_DRAIN_SECONDS = 2.0

_clock = time.perf_counter_ns


@dataclass(frozen=True)
class DatabaseSpec:
    """What one generator process is told; picklable."""

    plan: DatabasePlan
    dsn: str = field(repr=False)
    run_id: str


@dataclass(frozen=True)
class DatabaseResult:
    """What one generator process saw; picklable.

    Attributes:
        leaked: Rows read that belonged to another tenant.
        retries: Attempts beyond the first of each operation.
        segment_p95_ms: P95 response time of each twentieth of the run.
        last_ended: When the last counted operation ended, monotonic ns.
        left_over_rows: What earlier runs had left behind, removed before this one.
        removed_rows: What this run wrote and removed again; None when it could not be removed.
        given_up: Why the run ended before its plan did, or None.
    """

    phases: Phases
    counted: dict[str, OperationCounts]
    uncounted: dict[str, OperationCounts]
    times: tuple[Times, ...]
    health: Health
    leaked: int
    retries: int
    segment_p95_ms: tuple[float, ...]
    last_ended: int
    pool: PoolCounts
    server: dict[str, str]
    left_over_rows: int
    removed_rows: int | None
    given_up: str | None


class Generator:
    """Runs one plan once."""

    def __init__(self, spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event) -> None:
        self._dsn = spec.dsn
        self._plan = plan = spec.plan
        self._on_progress = on_progress
        self._asked_to_stop = stop
        self._over = threading.Event()
        self._tenants = [tenant_id(number) for number in range(1, plan.tenants + 1)]
        self._worker_tenants = [self._tenants[worker % plan.tenants] for worker in range(plan.workers)]
        self._workload = Workload(PAM_MIX, self._tenants, seed=plan.seed, tag=f"{TAG_PREFIX}{spec.run_id}")
        self._sessions = Sessions(spec.dsn, plan)
        self._records = Records(PAM_MIX, workers=plan.workers, operations=plan.queries)
        self._busy = [False] * plan.workers
        self._phases = phases_of(plan, 0)
        self._turns = Turns(plan, self._phases)
        self._given_up: str | None = None

    def run(self) -> DatabaseResult:
        """Check, prepare, warm up, measure, drain, clean up.

        Raises:
            ConfigurationError: when the subject cannot be used; what was written to it is removed.
        """
        with ExitStack() as stack:
            with as_configuration_errors(self._dsn):
                housekeeping = stack.enter_context(exclusive_connection(self._dsn))
                server = self._check(housekeeping)
                left_over = remove_rows(housekeeping, self._tenants)
                own_rows = insert_rows(housekeeping, self._worker_tenants, self._workload.tag)
            try:
                with as_configuration_errors(self._dsn):
                    self._sessions.open_all()
                health = self._load(own_rows)
            finally:
                self._sessions.close()
                removed = self._clean_up(housekeeping)
        if self._plan.model == "closed" and self._given_up is None:
            self._phases = self._phases.cut(self._records.last_ended, drain=0)
        return DatabaseResult(
            phases=self._phases,
            counted=self._records.counted(),
            uncounted=self._records.uncounted(),
            times=self._records.times(),
            health=health,
            leaked=self._records.leaked,
            retries=self._records.retries,
            segment_p95_ms=self._records.segment_p95_ms(),
            last_ended=self._records.last_ended,
            pool=self._sessions.counts,
            server=server,
            left_over_rows=left_over,
            removed_rows=removed,
            given_up=self._given_up,
        )

    # before and after the load

    def _check(self, connection: psycopg.Connection) -> dict[str, str]:
        if missing_tenants(connection, self._tenants):
            raise ConfigurationError(
                "--tenants",
                self._plan.tenants,
                "the subject does not have that many of nightbench's tenants",
                "lower it, or load the embedded reference",
            )
        draw = replace(self._workload.draw(0), own_row=self._tenants[0])
        check_workload(connection, draw, PAM_MIX)
        return server_facts(connection)

    def _clean_up(self, connection: psycopg.Connection) -> int | None:
        """Remove what was written; a server that is gone keeps it until the next run finds it."""
        try:
            return remove_rows(connection, self._tenants, self._workload.tag)
        except psycopg.Error:
            return None

    # the load

    def _load(self, own_rows: Sequence[UUID]) -> Health:
        self._phases = phases_of(self._plan, _clock() + SECOND // 10)
        self._turns = Turns(self._plan, self._phases)
        gc.collect()
        gc.freeze()
        workers = [
            threading.Thread(target=self._work, args=(worker, own_row), name=f"worker-{worker}", daemon=True)
            for worker, own_row in enumerate(own_rows)
        ]
        for worker in workers:
            worker.start()
        health = self._supervise(workers)
        for worker in workers:
            worker.join()
        while (turn := self._turns.take(_clock())) is not None:
            self._skip(0, turn)
        self._records.fold(self._phases.measure)
        return health

    def _work(self, worker: int, own_row: UUID) -> None:
        """One worker: take the next operation, wait until it is due, run it."""
        while not self._over.is_set():
            free = _clock()
            turn = self._turns.take(free)
            if turn is None:
                return
            self._over.wait(max(0, turn.due - _clock()) / SECOND)
            if self._over.is_set():
                self._skip(worker, turn)
                return
            self._operate(worker, turn, own_row, ready=max(free, turn.due))
            if self._plan.model == "closed" and self._plan.think:
                self._over.wait(self._plan.think)

    def _operate(self, worker: int, turn: Turn, own_row: UUID, *, ready: int) -> None:
        statement = self._workload.statement(turn.index)
        draw = self._draw(worker, turn, statement, own_row)
        parameters = statement.parameters(draw)
        self._records.begin(worker, turn, statement)
        self._busy[worker] = True
        transaction = self._sessions.transact(statement, parameters, draw.tenant)
        self._busy[worker] = False
        self._records.end(worker, turn, statement, transaction, ready=ready)

    def _draw(self, worker: int, turn: Turn, statement: Statement, own_row: UUID) -> Draw:
        draw = self._workload.draw(turn.index)
        if statement.kind != "update":
            return draw
        # only rows that this run inserted are ever changed, each by one worker
        return replace(draw, tenant=self._worker_tenants[worker], own_row=own_row)

    def _skip(self, worker: int, turn: Turn) -> None:
        if turn.due < self._phases.drain:
            self._records.skip(worker, turn, self._workload.statement(turn.index))

    # watching

    def _supervise(self, workers: Sequence[threading.Thread]) -> Health:
        """Keep time until every worker is done or the run is over."""
        monitor = HealthMonitor()
        beat = round(BEAT_SECONDS * SECOND)
        due = _clock() + beat
        began = False
        report_due, ended = self._phases.start + SECOND, 0
        while any(worker.is_alive() for worker in workers) and not self._over.is_set():
            time.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            if not began and now >= self._phases.measure:
                began = True
                monitor.begin()
            monitor.beat(now - due)
            due = max(due + beat, now)
            self._watch(now)
            if now >= report_due:
                report_due += SECOND
                ended = self._report(now, ended)
        return monitor.finish()

    def _watch(self, now: int) -> None:
        self._sessions.watch_pool()
        failing = self._records.failing_since
        if self._asked_to_stop.is_set():
            self._give_up(now, "interrupted")
        elif failing is not None and now - failing > SUBJECT_LOST_SECONDS * SECOND:
            self._give_up(
                now, f"the subject was lost: only connection failures for {SUBJECT_LOST_SECONDS:.0f} s"
            )
        elif now > self._phases.end:
            self._over.set()

    def _give_up(self, now: int, why: str) -> None:
        self._given_up = why
        self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        self._over.set()

    def _report(self, now: int, ended_before: int) -> int:
        self._records.fold(self._phases.measure)
        ended = self._records.ended()
        plan = self._plan
        self._on_progress(
            Progress(
                suite="database",
                phase=self._phases.at(now),
                elapsed=(now - self._phases.start) / SECOND,
                expected=self._phases.loaded_seconds if plan.model == "open" else 0.0,
                active=sum(self._busy),
                rate=float(ended - ended_before),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures(),
            )
        )
        return ended


def run_generator(spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event) -> DatabaseResult:
    """Run one generator in this process until its plan is done or `stop` is set."""
    return Generator(spec, on_progress, stop).run()
