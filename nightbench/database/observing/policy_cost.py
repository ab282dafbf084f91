"""What row-level security costs: the same statement with and without its policies, in pairs, in one run."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from statistics import median

import psycopg

from nightbench.database.observation import PolicyEffect
from nightbench.database.observing.isolation import of_one_statement
from nightbench.database.observing.paired import LEAST_PAIRS, shift
from nightbench.database.observing.side_connection import Row, SideConnection
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.scrub import scrub

WARM_UP_PAIRS = 12
"""The first pairs: psycopg prepares a statement at its sixth time, and the server plans it anew five times more."""
MOST_PAIRS = 512
"""When there are so many, every other one is dropped and the next come half as often: they span the run."""

_ROLE = "SELECT r.rolsuper OR r.rolbypassrls FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user"

_clock = time.perf_counter_ns


class PairTimes:
    """Execute times of pairs, with and without, in the order of time. Pure. All of them span the run evenly."""

    def __init__(self) -> None:
        self._times: list[tuple[int, int]] = []
        self.thinned = 0

    def add(self, with_ns: int, without_ns: int) -> None:
        """One more pair."""
        self._times.append((with_ns, without_ns))
        if len(self._times) >= MOST_PAIRS:
            self._times = self._times[::2]
            self.thinned += 1

    def effect(self) -> PolicyEffect | None:
        """What they say; None when they are too few."""
        differences = [(one - other) / 1e6 for one, other in self._times]
        found = shift(differences)
        if found is None:
            return None
        return PolicyEffect(
            pairs=len(differences),
            with_ms=median(one for one, _ in self._times) / 1e6,
            without_ms=median(other for _, other in self._times) / 1e6,
            cost_ms=found.estimate,
            low_ms=found.low,
            high_ms=found.high,
        )


class PolicyPairs:
    """Runs the pairs, each in two transactions that are taken back.

    The order within a pair is drawn for two at a time, one with the policies first and one without (ABBA), so
    that what the second of a pair gains from the first hits both alike.

    Args:
        statement: The read that is run.
        workload: Where its parameters and tenants come from.
        settings: That make a transaction one of a tenant.
        role: One that no policy binds.
        seed: Of the order.
    """

    def __init__(
        self, statement: Statement, workload: Workload, settings: TenantSettings, role: str, *, seed: int
    ) -> None:
        self._statement = statement
        self._workload = of_one_statement(statement, workload)
        self._with = settings
        self._without = settings.as_role(role)
        self._role = role
        self._order = random.Random(seed)  # noqa: S311  # an order, not a secret
        self._second: bool | None = None
        self._indexes = itertools.count()
        self._warm_up = 0
        self._agreed = False
        self._pairs = PairTimes()
        self._refused: str | None = None

    @property
    def thinned(self) -> int:
        """How often its pairs became half as dense."""
        return self._pairs.thinned

    @property
    def effect(self) -> PolicyEffect | None:
        """What was found so far; None when it cannot be told."""
        return None if self._refused is not None else self._pairs.effect()

    @property
    def why_not(self) -> str | None:
        """Why there is no effect, a sentence; None when there is one."""
        if self._refused is not None:
            return f"the cost of the policies: {self._refused}"
        if self._pairs.effect() is None:
            return f"the cost of the policies: fewer than {LEAST_PAIRS} pairs came to their end"
        return None

    def check(self, side: SideConnection) -> None:
        """See that the role can be had, and that no policy binds it.

        Raises:
            psycopg.Error: when the connection broke.
        """
        try:
            with side.rolled_back(self._without, self._workload.tenant(0)):
                free = side.rows(_ROLE)
        except psycopg.Error as error:
            self._refuse(error, side)
            return
        if free != [(True,)]:
            self._refused = f"the role {self._role!r} is bound by policies; it needs BYPASSRLS"

    def pair(self, side: SideConnection) -> None:
        """One pair more.

        Raises:
            psycopg.Error: when the connection broke.
        """
        index = next(self._indexes)
        tenant = self._workload.tenant(index)
        try:
            if self._with_first():
                with_ns, seen = self._run(side, index, tenant, self._with)
                without_ns, bare = self._run(side, index, tenant, self._without)
            else:
                without_ns, bare = self._run(side, index, tenant, self._without)
                with_ns, seen = self._run(side, index, tenant, self._with)
        except psycopg.Error as error:
            self._refuse(error, side)
            return
        if self._warm_up < WARM_UP_PAIRS:
            self._warm(agreed=seen == bare)
        else:
            self._pairs.add(with_ns, without_ns)

    def _warm(self, *, agreed: bool) -> None:
        self._warm_up += 1
        self._agreed = self._agreed or agreed  # rows may come and go between the two
        if self._warm_up == WARM_UP_PAIRS and not self._agreed:
            self._refused = "its statement has other rows without them; it has to name the tenant itself"

    def _with_first(self) -> bool:
        if self._second is not None:
            now, self._second = self._second, None
            return now
        first = self._order.random() < 0.5
        self._second = not first
        return first

    def _run(
        self, side: SideConnection, index: int, tenant: str, settings: TenantSettings
    ) -> tuple[int, Sequence[Row]]:
        parameters = self._workload.parameters(index, tenant=tenant)
        sql = self._statement.sql
        if settings is self._without:
            sql += "\n/* without the policies */"  # a prepared statement of its own: its plan is another
        with side.rolled_back(settings, tenant):
            began = _clock()
            rows = side.rows(sql, parameters)
            return _clock() - began, rows

    def _refuse(self, error: psycopg.Error, side: SideConnection) -> None:
        if side.broken:
            raise error
        if error.sqlstate not in _PASSING:
            self._refused = scrub(" ".join(str(error).split()))


_PASSING = frozenset({"57014", "55P03", "40001", "40P01"})
"""What another pair may be spared: time-outs, and what an application tries again."""
