"""The database load generator: worker threads over one pool, paced by one schedule.

It runs in a process of its own (see `nightbench.load.child`), for the whole of a stress test or for a shard.
"""

from __future__ import annotations

import gc
import threading
import time

from nightbench.database.checking.checks import as_configuration_errors
from nightbench.database.records import Records
from nightbench.database.result import LoadResult, LoadSpec
from nightbench.database.session import Sessions
from nightbench.database.starvation import starvation
from nightbench.database.turns import Turn, Turns, phases_of
from nightbench.database.workers import Workers
from nightbench.database.workload import Workload
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.phases import INTERRUPTED_DRAIN_SECONDS, SECOND, Phase
from nightbench.load.progress import OnProgress, Progress, Pulse
from nightbench.load.shard import agreed_start

STALL_SECONDS = 15.0
"""How long nothing may be answered, on top of what the plan gives one operation, before it is given up."""
LEAD_SECONDS = 0.1
"""Between the laying out of the phases and the first of them, for the workers to start."""

_clock = time.perf_counter_ns


class Generator:
    """Runs one plan, or a shard of it, once."""

    def __init__(self, spec: LoadSpec, on_progress: OnProgress, stop: threading.Event) -> None:
        self._spec = spec
        self._plan = plan = spec.plan
        self._on_progress = on_progress
        self._asked_to_stop = stop
        self._over = threading.Event()
        self._workload = Workload(spec.statements, spec.tenants, seed=plan.seed, tag=spec.tag)
        self._sessions = Sessions(spec.dsn, plan, spec.shard)
        self._records = Records(spec.statements, workers=len(spec.own), operations=plan.queries)
        self._given_up: str | None = None

    def run(self) -> LoadResult:
        """Connect, warm up, measure, drain.

        Raises:
            ConfigurationError: when the pool cannot be filled, or no thread be started.
        """
        try:
            with as_configuration_errors(self._spec.dsn):
                self._sessions.open_all(Pulse(self._on_progress, "database", "prepare"))
            gc.collect()
            gc.freeze()
            self._started_at, self._start, late = agreed_start(self._spec.start_at, lead=LEAD_SECONDS)
            self._phases = phases_of(self._plan, self._start)
            health = self._load()
        finally:
            self._sessions.close()
        if self._plan.model == "closed" and self._given_up is None:
            # it measured as long as it asked and was answered well; a late time-out takes no part
            end = max(self._records.last_due + 1, self._records.last_ok)
            self._phases = self._phases.cut(end, drain=0)
        records, last_ok, times = self._records, self._records.last_ok, self._records.times()
        return LoadResult(
            started_at=self._started_at,
            phases=self._phases.since(self._start),
            counted=records.counted(),
            uncounted=records.uncounted(),
            times=times,
            health=health,
            leaked=records.leaked,
            retries=records.retries,
            retried=records.retried,
            rows=records.rows,
            course=records.course(),
            last_ok=last_ok - self._start if last_ok else 0,
            pool=self._sessions.counts,
            starved=(*late, *starvation(health, times)),
            given_up=self._given_up,
        )

    def _load(self) -> Health:
        workers = Workers(
            self._plan, self._workload, self._sessions, self._records, own=self._spec.own, over=self._over
        )
        turns = Turns(self._plan, self._phases, self._spec.shard)
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
        """Keep time until every worker is done or the run is over; it is told that the measure phase began, always."""
        monitor = HealthMonitor()
        due = _clock() + round(BEAT_SECONDS * SECOND)
        reported, ended, began = self._phases.start, 0, False
        while (workers.alive() or not began) and not self._over.is_set():
            time.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            begins = not began and now >= self._phases.measure
            if begins:
                began = True
                monitor.begin()
            due = monitor.tick(due, now)
            phase = "measure" if begins else self._phases.at(now)  # also of one that is over within a tick
            self._watch(workers, now)
            if begins or now >= reported + SECOND:  # whoever watches the server begins with the measure phase
                ended = self._report(workers, now, phase, since=reported, ended_before=ended)
                reported = now
        return monitor.finish()

    def _watch(self, workers: Workers, now: int) -> None:
        silent = now - (workers.silent_since() or now)
        patience = self._plan.pool_timeout + self._plan.statement_timeout + STALL_SECONDS
        if self._asked_to_stop.is_set():
            self._give_up(now, "interrupted")
        elif workers.failure is not None:
            self._give_up(now, workers.failure)
        elif self._records.failing_ns > self._plan.lost_after * SECOND:
            why = f"the subject was lost: only connection failures for {self._plan.lost_after:g} s"
            self._give_up(now, why)
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

    def _report(self, workers: Workers, now: int, phase: Phase, *, since: int, ended_before: int) -> int:
        self._records.fold(self._phases.measure)
        ended = self._records.ended()
        plan = self._plan
        self._on_progress(
            Progress(
                suite="database",
                phase=phase,
                elapsed=(now - self._phases.start) / SECOND,
                expected=self._phases.loaded_seconds if plan.model == "open" else None,
                active=workers.active,
                of=len(self._spec.own),
                rate=(ended - ended_before) * SECOND / max(1, now - since),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures(),
                operations=None if plan.model == "open" else (self._records.ended_counted(), plan.queries),
            )
        )
        return ended


def run_generator(spec: LoadSpec, on_progress: OnProgress, stop: threading.Event) -> LoadResult:
    """Run one generator in this process until its plan is done or `stop` is set.

    A plain function from a picklable spec to a picklable result: a child process, a process pool and a cluster
    run the same.
    """
    try:
        return Generator(spec, on_progress, stop).run()
    finally:
        gc.unfreeze()  # where this process lives on, what the run left is garbage like any other
