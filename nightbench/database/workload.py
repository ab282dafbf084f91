"""What the workers ask: named statements with weights, and the parameters of each operation. Pure.

Every statement is one transaction of one tenant. A read may tell in a column whose row each one is, so that
it can be checked to belong to the tenant that asked.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nightbench.database.draws import Parameters, Sources, mixed, sources_of
from nightbench.database.provisions import Provisions
from nightbench.plan.workload import StatementPlan, WorkloadPlan

_NOWHERE = Sources()


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry of the mix; picklable.

    Attributes:
        weight: Its share of the mix, in whole parts of the sum of all weights.
        sql: As psycopg takes it, parameters as ``%(name)s``.
        min_rows: Fewer rows read or changed are a failure.
        max_rows: More are.
        tenant_index: The place of `tenant_column` in its rows, None where it tells no tenant, and before the
            server was asked.
        tenant_as_text: Whether a value of that column is a text as the server prints it; another is compared
            by what str() makes of it.
        uses_own_row: Whether it changes the row that belongs to the worker alone.
        sources: Where its parameters come from.
        tenant_column: Says whose row a row is; None for no check.
        columns: Names that its columns must have, in order; any where there are none.
        locks_rows: Whether it is a read that locks rows, as by FOR UPDATE; known once the server was asked.
    """

    name: str
    kind: Literal["read", "write"]
    weight: int
    sql: str
    min_rows: int = 0
    max_rows: float = math.inf
    tenant_index: int | None = None
    tenant_as_text: bool = False
    uses_own_row: bool = False
    sources: Sources = _NOWHERE
    tenant_column: str | None = None
    columns: tuple[str, ...] = ()
    locks_rows: bool = False

    @property
    def read_only(self) -> bool:
        """Whether its transactions are READ ONLY: a row lock is written to the row."""
        return self.kind == "read" and not self.locks_rows


def statements_of(mix: WorkloadPlan, provisions: Provisions) -> tuple[Statement, ...]:
    """The statements of a plan with the values that its files provide."""
    return tuple(_statement(plan, provisions) for plan in mix.statements)


def _statement(plan: StatementPlan, provisions: Provisions) -> Statement:
    sources = sources_of(plan.draws, provisions.columns)
    low, high = plan.row_bounds
    return Statement(
        name=plan.name,
        kind=plan.kind,
        weight=plan.weight,
        sql=plan.sql,
        min_rows=low,
        max_rows=high,
        uses_own_row=sources.takes("own_row"),
        sources=sources,
        tenant_column=plan.tenant_column,
        columns=plan.columns,
    )


def policy_statement(mix: WorkloadPlan, provisions: Provisions) -> Statement | None:
    """The read that tells what the policies cost, None where the plan has none; it is no part of the mix."""
    plan = mix.policy_cost
    if plan is None:
        return None
    return Statement("policy_cost", "read", 1, plan.sql, sources=sources_of(plan.draws, provisions.columns))


_OTHER_BITS = 0xA0761D6478BD642F


class Workload:
    """The statement, the tenant and the parameters of every operation, by its index alone.

    In each time through the deck, which has as many operations as the weights add up to and begins at 0, every
    statement has exactly its weight: the shares of a run do not depend on luck.

    Args:
        statements: The mix.
        tenants: Those that take part.
        seed: Of the plan.
        tag: Marks the rows that this run writes.
    """

    def __init__(
        self,
        statements: Sequence[Statement],
        tenants: Sequence[str],
        *,
        seed: int,
        tag: str,
    ) -> None:
        self.statements = tuple(statements)
        self.tenants = tuple(tenants)
        self.tag = tag
        self._seed = seed
        deck = [statement for statement in self.statements for _ in range(statement.weight)]
        random.Random(seed).shuffle(deck)  # noqa: S311  # an order, not a secret
        self._deck = tuple(deck)
        self._cut = (-1, self._cut_of(-1))

    def statement(self, index: int) -> Statement:
        """Which statement operation `index` runs.

        The deck is cut anew each time it is gone through: a shard, which has each second or third operation, has
        others of it each time.
        """
        time_through, place = divmod(index, len(self._deck))
        cut = self._cut  # threads may be at different times through: what one has read, it goes by
        if cut[0] != time_through:
            cut = self._cut = (time_through, self._cut_of(time_through))
        return self._deck[(place + cut[1]) % len(self._deck)]

    def _cut_of(self, time_through: int) -> int:
        return mixed(self._seed, ~time_through) % len(self._deck)

    def tenant(self, index: int) -> str:
        """Whose operation `index` is: evenly one of all tenants."""
        return self.tenants[mixed(self._seed, index) * len(self.tenants) >> 64]

    def parameters(self, index: int, *, tenant: str, own_row: object | None = None) -> Parameters:
        """The parameters of operation `index`'s statement, by name.

        Args:
            index: Which operation of the run it is.
            tenant: Whose transaction it is: `tenant` of the index, or the one that `own_row` belongs to.
            own_row: The key of a row that the worker alone may change.
        """
        # the bits that have chosen the tenant choose no parameter
        number = mixed(self._seed, index) ^ _OTHER_BITS
        sources = self.statement(index).sources
        return sources.parameters(number, tenant=tenant, tag=self.tag, own_row=own_row)
