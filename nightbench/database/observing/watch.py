"""All that is watched beside a load, each source by itself: one that fails takes no other with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from nightbench.database.observation import Observation, ProcessFigures, StatementStatistics
from nightbench.database.observing.isolation import Isolation
from nightbench.database.observing.policy_cost import PolicyPairs
from nightbench.database.observing.server_process import ServerOutOfSightError, ServerProcesses, Used
from nightbench.database.observing.server_statistics import ServerStatistics
from nightbench.database.observing.side_connection import Cost, SideConnection
from nightbench.database.observing.statement_statistics import StatementCounters, StatementsUnseenError
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub

GLANCES = 4
"""Samples of what the connections do for each look at the counters."""
PROBE_SECONDS = 0.5
"""From one isolation probe to the next."""
PAIR_SECONDS = 0.2
"""From one policy pair to the next, until they become fewer."""
SHARE = 0.03
"""Of the time that one kind of work may take: what takes long comes the more seldom."""

_clock = time.monotonic


class Job:
    """Something that is done over and over, at most so often, and for at most `SHARE` of the time.

    Args:
        do: One time of it.
        spacing: Seconds until the next.
        rarer: How many times as long it is to be by now.
    """

    def __init__(
        self, do: Callable[[SideConnection], None], spacing: float, rarer: Callable[[], float] = lambda: 1.0
    ) -> None:
        self._do = do
        self._spacing = spacing
        self._rarer = rarer
        self.due = 0.0

    def run(self, side: SideConnection) -> None:
        """Do it, and say when it is due again."""
        began = _clock()
        try:
            self._do(side)
        finally:
            now = _clock()
            self.due = now + self._rarer() * max(self._spacing, (now - began) * (1 / SHARE - 1))


class Watch:
    """What one run is watched for.

    Args:
        plan: Of the run.
        workload: Of the run; what the probes ask.
        settings: That make a transaction one of a tenant.
        load_application: The application_name of the load's connections.
        policy: The read that tells what the policies cost; None for no such pairs.

    Attributes:
        cost: What its statements took.
        absent: What could not be seen, and why, by what it is.
        begun: Whether the measure phase has begun for it.
    """

    def __init__(
        self,
        plan: DatabasePlan,
        workload: Workload,
        settings: TenantSettings,
        *,
        load_application: str,
        policy: Statement | None,
    ) -> None:
        self.cost = Cost()
        self.absent: dict[str, str] = {}
        self.begun = False
        self._interval = plan.observation_interval
        self._load_application = load_application
        self._isolation = Isolation(plan.mix, workload, settings)
        self._policy: PolicyPairs | None = None
        if policy is not None and plan.mix.policy_cost is not None and self._interval > 0:
            role = plan.mix.policy_cost.role
            self._policy = PolicyPairs(policy, workload, settings, role, seed=plan.seed)
        self._statistics = ServerStatistics(load_application)
        self._statements: StatementCounters | None = None
        self._counted: tuple[StatementStatistics, ...] = ()
        self._processes: ServerProcesses | None = None
        self._used: Used | None = None
        self._server: ProcessFigures | None = None
        self._first = self._last = 0.0

    @property
    def jobs(self) -> Sequence[Job]:
        """What is to be done during the measure phase."""
        jobs = []
        if self._interval > 0:
            jobs.append(Job(self._look, self._interval))
            jobs.append(Job(self._statistics.glance, self._interval / GLANCES))
        if self._isolation.kinds:
            jobs.append(Job(self._isolation.probe, PROBE_SECONDS))
        if self._policy is not None:
            policy = self._policy
            jobs.append(Job(policy.pair, PAIR_SECONDS, rarer=lambda: 2.0**policy.thinned))
        return jobs

    def prepare(self, side: SideConnection) -> None:
        """See, before the measure phase, what there is to be seen.

        Raises:
            psycopg.Error: when the connection broke.
        """
        self._isolation.check(side)
        if self._interval <= 0:
            return
        with self._told("pg_stat_statements", side):
            self._statements = StatementCounters(side)
        with self._told("CPU, memory and I/O of the server", side):
            self._processes = ServerProcesses(side.connection)
        if self._policy is not None:
            self._policy.check(side)

    def begin(self, side: SideConnection) -> None:
        """The measure phase begins.

        Raises:
            psycopg.Error: when the connection broke.
        """
        self.cost.queries, self.cost.seconds = 0, 0.0
        self._first = self._last = _clock()
        if self._interval > 0:
            self._begin_to_count(side)
        self.begun = True

    def _begin_to_count(self, side: SideConnection) -> None:
        self._statistics = ServerStatistics(self._load_application)
        if self._processes is not None:
            with self._told("CPU, memory and I/O of the server", side):
                self._used = self._processes.used()
        if self._statements is not None:
            with self._told("pg_stat_statements", side):
                self._statements.begin(side)
        self._look(side)
        self._statistics.glance(side)  # a run that is over before the first is due has one all the same

    def end(self, side: SideConnection) -> None:
        """The measure phase is over: a last look at everything.

        Raises:
            psycopg.Error: when the connection broke.
        """
        if self.begun and self._interval > 0:
            self._look(side)
            self._end_processes(side)
            if self._statements is not None:
                with self._told("pg_stat_statements", side):
                    self._counted = self._statements.since_begin(side)
                    if self._statements.hidden:
                        raise StatementsUnseenError(
                            "those of other roles are hidden; grant pg_read_all_stats to the DSN's role"
                        )
        if self.begun:
            self._last = _clock()

    def complete(self, side: SideConnection) -> None:
        """Make the probes that a short run had no time for.

        Raises:
            psycopg.Error: when the connection broke.
        """
        if self.begun:
            self._isolation.complete(side)

    def _end_processes(self, side: SideConnection) -> None:
        if self._processes is None or self._used is None:
            return
        with self._told("CPU, memory and I/O of the server", side):
            if not self._processes.is_that_of(side.connection):
                raise ServerOutOfSightError("the server was started anew in the middle of the run")
            self._server = self._processes.used().since(self._used)

    def _look(self, side: SideConnection) -> None:
        self._statistics.look(side)
        self._last = _clock()

    @contextmanager
    def _told(self, what: str, side: SideConnection) -> Iterator[None]:
        """What fails inside of the block is absent; but a broken connection is for others to mend."""
        try:
            yield
        except (ServerOutOfSightError, StatementsUnseenError) as reason:
            self.absent[what] = str(reason)
        except psycopg.Error as error:
            if side.broken:
                raise
            self.absent[what] = scrub(" ".join(str(error).split()))

    def observation(self) -> Observation:
        """All that was seen so far."""
        statistics = self._statistics
        return Observation(
            seconds=self._last - self._first,
            looks=statistics.looks,
            glances=statistics.glances,
            counters=statistics.counters,
            gauges=statistics.gauges,
            waits=statistics.waits,
            statements=self._counted,
            server=self._server,
            probes=self._isolation.probes,
            policy=None if self._policy is None else self._policy.effect,
            queries=self.cost.queries,
            busy_seconds=self.cost.seconds,
            absent=tuple(self._sentences()),
        )

    def _sentences(self) -> Iterator[str]:
        for what, why in {**self.absent, **self._statistics.absent}.items():
            yield f"{what}: {why}"
        if self._statistics.resets:
            yield "the server lost its statistics during the run; what it had counted since the look before is missing"
        if self._statistics.hidden:
            yield (
                "pg_stat_activity: what connections of the load wait for is hidden; grant pg_read_all_stats to "
                "the DSN's role, and see that track_activities is on"
            )
        if self.begun:
            yield from self._isolation.why_not
        if self.begun and self._policy is not None and self._policy.why_not is not None:
            yield self._policy.why_not
