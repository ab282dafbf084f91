"""The database load generator: worker threads over one pool, paced by one schedule.

It runs in a process of its own (see `nightbench.load.child`) and returns plain data.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from nightbench.database.checks import (
    as_configuration_errors,
    check_tenants,
    check_workload,
    server_facts,
)
from nightbench.database.connection import bounded
from nightbench.database.own_rows import (
    BATCH_SECONDS,
    clean_up,
    exclusive_connection,
    insert_rows,
    remove_left_over,
    tag_of,
)
from nightbench.database.records import Records
from nightbench.database.session import PoolCounts, Sessions
from nightbench.database.turns import Turn, Turns, phases_of
from nightbench.database.workers import Workers
from nightbench.database.workload import PAM_MIX, Workload
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import INTERRUPTED_DRAIN_SECONDS, SECOND, Phases
from nightbench.load.progress import OnProgress, Progress, Pulse
from nightbench.load.timeline import Times
from nightbench.plan import DatabasePlan
from nightbench.tenants import first_tenants

SUBJECT_LOST_SECONDS = 3.0
"""From the first to the last of nothing but connection failures, past which the run is given up."""
STALL_SECONDS = 15.0
"""How long nothing may be answered, on top of what the plan gives one operation, before it is given up."""
CHECK_SECONDS = 15.0
INSERT_SECONDS = 0.01
LEAD_SECONDS = 0.1
"""Between the laying out of the phases and the first of them, for the workers to start."""

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
        started_at: Wall clock (UTC) at ``phases.start``.
        leaked: Rows read that belonged to another tenant.
        retries: Attempts beyond the first of each operation.
        segment_ms: The `segment_quantile` of the response time in each segment of the run: see `Segments`.
        last_ok: When the last counted operation that ended well did, monotonic ns; 0 when none has.
        left_over_rows: What earlier runs had left behind, removed before this one.
        removed_rows: What this run wrote and removed again; None when some of it could not be removed.
        tag: Of these rows.
        given_up: Why the run ended before its plan did, or None.
    """

    started_at: datetime
    phases: Phases
    counted: dict[str, OperationCounts]
    uncounted: dict[str, OperationCounts]
    times: tuple[Times, ...]
    health: Health
    leaked: int
    retries: int
    segment_ms: tuple[float, ...]
    segment_quantile: float
    last_ok: int
    pool: PoolCounts
    server: dict[str, str]
    left_over_rows: int
    removed_rows: int | None
    tag: str
    given_up: str | None


class Generator:
    """Runs one plan once."""

    def __init__(self, spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event) -> None:
        self._dsn = spec.dsn
        self._plan = plan = spec.plan
        self._on_progress = on_progress
        self._asked_to_stop = stop
        self._over = threading.Event()
        self._tenants = first_tenants(plan.tenants)
        tag = tag_of(spec.run_id, tenants=plan.tenants)
        self._workload = Workload(PAM_MIX, self._tenants, seed=plan.seed, tag=tag)
        self._sessions = Sessions(spec.dsn, plan)
        self._records = Records(PAM_MIX, workers=plan.workers, operations=plan.queries)
        self._phases = phases_of(plan, 0)
        self._started_at = datetime.now(UTC)
        self._given_up: str | None = None

    def run(self) -> DatabaseResult:
        """Check, prepare, warm up, measure, drain, clean up.

        Raises:
            ConfigurationError: when the subject cannot be used; what was written to it is removed.
        """
        preparing = Pulse(self._on_progress, "database", "prepare")
        with ExitStack() as stack:
            with as_configuration_errors(self._dsn):
                housekeeping = stack.enter_context(
                    exclusive_connection(self._dsn, statement_timeout=self._plan.statement_timeout)
                )
                server = self._check(housekeeping)
                left_over = remove_left_over(housekeeping, tenants=self._plan.tenants, on_batch=preparing)
                own = self._insert(housekeeping)
            try:
                with as_configuration_errors(self._dsn):
                    self._sessions.open_all(preparing)
                health = self._load(own)
            finally:
                self._sessions.close()
                removed = self._clean_up(housekeeping)
        if self._plan.model == "closed" and self._given_up is None:
            # it measured as long as it asked and was answered well; a late time-out takes no part
            end = max(self._records.last_due + 1, self._records.last_ok)
            self._phases = self._phases.cut(end, drain=0)
        return DatabaseResult(
            started_at=self._started_at,
            phases=self._phases,
            counted=self._records.counted(),
            uncounted=self._records.uncounted(),
            times=self._records.times(),
            health=health,
            leaked=self._records.leaked,
            retries=self._records.retries,
            segment_ms=self._records.segment_ms(),
            segment_quantile=self._records.segment_quantile,
            last_ok=self._records.last_ok,
            pool=self._sessions.counts,
            server=server,
            left_over_rows=left_over,
            removed_rows=removed,
            tag=self._workload.tag,
            given_up=self._given_up,
        )

    # before and after the load

    def _check(self, connection: psycopg.Connection) -> dict[str, str]:
        draw = replace(self._workload.draw(0), own_row=self._tenants[0])
        with bounded(connection, CHECK_SECONDS + self._plan.statement_timeout):
            check_tenants(connection, self._tenants)
            check_workload(connection, draw, PAM_MIX)
            return server_facts(connection)

    def _insert(self, connection: psycopg.Connection) -> list[tuple[UUID, UUID]]:
        """A row for each worker to change, with its tenant."""
        tenants = [self._tenants[worker % len(self._tenants)] for worker in range(self._plan.workers)]
        with bounded(connection, CHECK_SECONDS + len(tenants) * INSERT_SECONDS):
            rows = insert_rows(connection, tenants, self._workload.tag)
        return list(zip(tenants, rows, strict=True))

    def _clean_up(self, connection: psycopg.Connection) -> int | None:
        seconds = math.inf if self._given_up is None else BATCH_SECONDS
        pulse, tag = Pulse(self._on_progress, "database", "cleanup"), self._workload.tag
        return clean_up(connection, self._dsn, self._tenants, tag, seconds=seconds, on_batch=pulse)

    # the load

    def _load(self, own: Sequence[tuple[UUID, UUID]]) -> Health:
        workers = Workers(self._plan, self._workload, self._sessions, self._records, own=own, over=self._over)
        gc.collect()
        gc.freeze()
        # the one wall-clock anchor, beside the monotonic one
        self._started_at = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        self._phases = phases_of(self._plan, _clock() + round(LEAD_SECONDS * SECOND))
        turns = Turns(self._plan, self._phases)
        try:
            workers.start(turns)
            health = self._supervise(workers)
        finally:
            self._over.set()  # whatever happened: nobody writes beside the clean-up
            self._wait_for(workers)
        for left in workers.unstarted:
            self._skip(left)
        while (turn := turns.take(_clock())) is not None and self._skip(turn):
            pass
        self._records.fold(self._phases.measure)
        return health

    def _skip(self, turn: Turn) -> bool:
        """No worker came to it; whether it was due at all before the run ended."""
        due = turn.due < self._phases.drain
        if due:
            self._records.skip(turn, self._workload.statement(turn.index))
        return due

    def _supervise(self, workers: Workers) -> Health:
        """Keep time until every worker is done or the run is over."""
        monitor = HealthMonitor()
        due = _clock() + round(BEAT_SECONDS * SECOND)
        report_due, ended, began = self._phases.start + SECOND, 0, False
        while workers.alive() and not self._over.is_set():
            time.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            if not began and now >= self._phases.measure:
                began = True
                monitor.begin()
            due = monitor.tick(due, now)
            self._watch(workers, now)
            if now >= report_due:
                report_due += SECOND
                ended = self._report(workers, now, ended)
        return monitor.finish()

    def _watch(self, workers: Workers, now: int) -> None:
        silent = now - (workers.silent_since() or now)
        patience = self._plan.pool_timeout + self._plan.statement_timeout + STALL_SECONDS
        if self._asked_to_stop.is_set():
            self._give_up(now, "interrupted")
        elif workers.failure is not None:
            self._give_up(now, workers.failure)
        elif self._records.failing_ns > SUBJECT_LOST_SECONDS * SECOND:
            self._give_up(
                now, f"the subject was lost: only connection failures for {SUBJECT_LOST_SECONDS:.0f} s"
            )
        elif silent > patience * SECOND:
            self._give_up(now, f"the subject stalled: it answered nothing for {patience:.0f} s")
        elif now > self._phases.end:
            self._over.set()

    def _give_up(self, now: int, why: str) -> None:
        if self._given_up is None:
            self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        self._given_up = why if self._given_up is None else f"{self._given_up}; {why}"
        self._over.set()

    def _wait_for(self, workers: Workers) -> None:
        """Let what is under way end; what takes longer than it may stays in flight."""
        patience = INTERRUPTED_DRAIN_SECONDS
        if self._given_up is None:
            patience += self._plan.pool_timeout + self._plan.statement_timeout
        limit = _clock() + round(patience * SECOND)
        while (alive := workers.alive()) and _clock() < limit:
            alive[0].join(BEAT_SECONDS)
            if self._given_up is None and self._asked_to_stop.is_set():
                self._give_up(_clock(), "interrupted")
                limit = min(limit, _clock() + round(INTERRUPTED_DRAIN_SECONDS * SECOND))
        if workers.failure is not None and self._given_up is None:
            self._give_up(_clock(), workers.failure)
        if stuck := workers.alive():
            many = "1 worker is" if len(stuck) == 1 else f"{len(stuck)} workers are"
            self._give_up(_clock(), f"{many} stuck in the database")
            self._records.close()
            self._sessions.break_off()

    def _report(self, workers: Workers, now: int, ended_before: int) -> int:
        self._records.fold(self._phases.measure)
        ended = self._records.ended()
        plan = self._plan
        self._on_progress(
            Progress(
                suite="database",
                phase=self._phases.at(now),
                elapsed=(now - self._phases.start) / SECOND,
                expected=self._phases.loaded_seconds if plan.model == "open" else None,
                active=workers.active,
                rate=float(ended - ended_before),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures(),
                operations=None if plan.model == "open" else (self._records.ended_counted(), plan.queries),
            )
        )
        return ended


def run_generator(spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event) -> DatabaseResult:
    """Run one generator in this process until its plan is done or `stop` is set."""
    return Generator(spec, on_progress, stop).run()
