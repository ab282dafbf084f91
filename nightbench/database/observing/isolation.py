"""Probes through the run: is a tenant kept apart from the others while the database is loaded?

Two promises of row-level security that the load itself never tests: without a tenant nothing can be read, and
nobody can write a row of somebody else. A read that names its tenant itself, as `%(tenant)s`, is given a real one: that
it finds that tenant's rows, while nobody is set, says that the role may read them. Where no table of the workload
has row-level security at all, nothing is promised and nothing is probed.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import psycopg

from nightbench.database.connection import error_class
from nightbench.database.observation import Probes
from nightbench.database.observing.guarded import is_guarded
from nightbench.database.observing.side_connection import SideConnection
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.plan.placeholders import placeholders
from nightbench.plan.workload import WorkloadPlan

FOREIGN_WRITE = "foreign_write"
REFUSED = "sqlstate_42501"
"""insufficient_privilege: what a row that violates a policy ends in."""
MOST_ROWS = 1000
"""So many rows of one probe are counted at most: a table that stands open may be large."""
UNGUARDED = "isolation: no table that the probes would come to has row-level security; see the findings"
ONE_TENANT = "isolation: whether a tenant can write rows of another is not known: only one takes part"

_PIECE = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/|[()]|(?P<word>\w+)|.",
    re.DOTALL,
)


def probes_isolation(mix: WorkloadPlan) -> bool:
    """Whether there is a tenant in its settings, and something that only a tenant may do."""
    has_tenants = any(placeholders(value) for value in mix.tenant_settings.values())
    has_reads = any(each.tenant_column is not None for each in mix.statements)
    return has_tenants and (has_reads or _insert(mix) is not None)


def _insert(mix: WorkloadPlan) -> str | None:
    return None if mix.own_rows is None else mix.own_rows.insert


class ProbeCounts:
    """What the probes came to. Pure."""

    def __init__(self) -> None:
        self._made = 0
        self._answered: set[str] = set()
        self._leaks: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    def read(self, what: str, rows: int, error: str | None) -> None:
        """One that should see nothing saw so many rows of somebody, or ended in `error`."""
        self._add(what, rows, error)

    def write(self, rows: int, error: str | None) -> None:
        """One that should be refused wrote so many rows, or ended in `error`."""
        self._add(FOREIGN_WRITE, rows, None if error == REFUSED else error)

    def _add(self, what: str, rows: int, error: str | None) -> None:
        self._made += 1
        if error is not None:
            self._errors[f"{what}: {error}"] += 1
            return
        self._answered.add(what)
        if rows:
            self._leaks[what] += rows

    @property
    def probes(self) -> Probes:
        """All so far."""
        return Probes(self._made, self._leaks.total(), dict(self._leaks), dict(self._errors))

    def unanswered(self) -> Iterator[str]:
        """Those that ended in an error each time, which shows of no policy that it refuses them; a sentence each."""
        for failure in self._errors:
            what, _, error = failure.partition(": ")
            if what not in self._answered:
                yield f"isolation: {what} ended in {error}, not in what a policy does: whether one does is not known"


class Isolation:
    """The probes of a workload, one after the other, over and over.

    Args:
        mix: Whose reads with a tenant column are tried without a tenant, and whose own row is inserted for
            another tenant.
        workload: Where parameters and tenants come from.
        settings: That make a transaction one of a tenant.

    Attributes:
        kinds: How many different ones there are.
    """

    def __init__(self, mix: WorkloadPlan, workload: Workload, settings: TenantSettings) -> None:
        self._workload = workload
        self._settings = settings
        self._counts = ProbeCounts()
        self._insert = _insert(mix)
        self._why_not: str | None = None
        makers: list[Callable[[SideConnection], None]] = []
        if probes_isolation(mix):
            makers = [
                partial(
                    self._read, each, each.tenant_column, of_one_statement(each, workload), itertools.count()
                )
                for each in workload.statements
                if each.tenant_column is not None
            ]
            if self._insert is not None:
                if (pairs := self._pairs()) is None:
                    self._why_not = ONE_TENANT
                else:
                    makers.append(partial(self._write, without_returning(self._insert), pairs))
        self.kinds = len(makers)
        self._turns = itertools.cycle(makers)

    @property
    def why_not(self) -> tuple[str, ...]:
        """What of it is not known, a sentence each."""
        return (*filter(None, [self._why_not]), *self._counts.unanswered())

    @property
    def probes(self) -> Probes:
        """What they came to so far."""
        return self._counts.probes

    def check(self, side: SideConnection) -> None:
        """See whether there is anything to be probed: row-level security somewhere.

        Raises:
            psycopg.Error: when the connection broke.
        """
        if not self.kinds:
            return
        tenant = self._workload.tenant(0)
        statements = {
            each.sql: of_one_statement(each, self._workload).parameters(0, tenant=tenant)
            for each in self._workload.statements
            if each.tenant_column is not None
        }
        if self._insert is not None:
            statements[self._insert] = {"tenant": tenant, "tag": self._workload.tag}
        if not is_guarded(side, self._settings, tenant, statements):
            self.kinds = 0
            self._why_not = UNGUARDED

    def probe(self, side: SideConnection) -> None:
        """Make the next one, if there is any.

        Raises:
            psycopg.Error: when the connection broke.
        """
        for attempt in itertools.islice(self._turns, min(1, self.kinds)):
            attempt(side)

    def complete(self, side: SideConnection) -> None:
        """Make those that were not made yet, so that there is one of each kind also in a short run."""
        for _ in range(self.kinds - self.probes.made):
            self.probe(side)

    def _read(
        self,
        statement: Statement,
        owner: str,
        workload: Workload,
        indexes: Iterator[int],
        side: SideConnection,
    ) -> None:
        index = next(indexes)
        tenant = workload.tenant(index)
        parameters = workload.parameters(index, tenant=tenant)
        rows, error = 0, None
        try:
            with side.rolled_back(self._settings.of_nobody, tenant):
                rows = side.owned_rows(statement.sql, parameters, owner=owner, most=MOST_ROWS)
        except psycopg.Error as failure:
            error = _class_of(failure, side)
        self._counts.read(f"no_tenant:{statement.name}", rows, error)

    def _write(self, sql: str, pairs: Iterator[tuple[str, str]], side: SideConnection) -> None:
        tenant, other = next(pairs)
        rows, error = 0, None
        try:
            with side.rolled_back(self._settings, tenant):
                rows = side.changed_rows(sql, {"tenant": other, "tag": self._workload.tag})
        except psycopg.Error as failure:
            error = _class_of(failure, side)
        self._counts.write(rows, error)

    def _pairs(self) -> Iterator[tuple[str, str]] | None:
        """Two tenants at a time that are not the same; None when there is only one."""
        if len(self._workload.tenants) < 2:
            return None
        tenants = map(self._workload.tenant, itertools.count())
        return ((one, other) for one, other in itertools.pairwise(tenants) if one != other)


def of_one_statement(statement: Statement, workload: Workload) -> Workload:
    """The same tenants with one statement, so that each index draws parameters of it."""
    # neither how often it comes nor where it begins matters for what is drawn
    return Workload((replace(statement, weight=1),), workload.tenants, seed=0, tag=workload.tag)


def _class_of(failure: psycopg.Error, side: SideConnection) -> str:
    if side.broken:
        raise failure
    return error_class(failure, connected=True)


def without_returning(sql: str) -> str:
    """An INSERT without its RETURNING, which makes the server ask the policies for reading as well.

    A row that may be written and not be read is then let in; with RETURNING it would be refused, and the open
    door be missed.
    """
    depth, place = 0, None
    for piece in _PIECE.finditer(sql):
        depth += {"(": 1, ")": -1}.get(piece[0], 0)
        if depth == 0 and (piece["word"] or "").lower() == "returning":
            place = piece.start()
    return sql if place is None else sql[:place].rstrip()
