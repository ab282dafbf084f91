"""What the workers of the database suite ask: statements, tenants and what is written, as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nightbench.frozen import Frozen
from nightbench.plan.agreement import disagreement
from nightbench.plan.conversation import FileName
from nightbench.plan.parameters import (
    GIVEN,
    ParameterDraw,
    ParameterName,
    Sql,
    check_parameters,
    parameters_in,
)
from nightbench.plan.placeholders import placeholders

Identifier = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00.\"]+(\.[^\s\x00.\"]+)?$")]
"""A table, with its schema or without, or a column; as the server has it, without quotes."""
RoleName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]
TENANT = "tenant"
"""The placeholder of `tenant_settings` that stands for the tenant's id."""

_MOST_CARDS = 10_000


class StatementPlan(Frozen):
    """One statement of the mix, each time a transaction of one tenant."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", title="Name", description="as it stands in metrics")
    ]
    kind: Annotated[
        Literal["read", "write"],
        Field(
            title="Kind",
            description="read: its rows are fetched and checked; write: it changes rows of its own",
        ),
    ]
    weight: Annotated[
        int,
        Field(
            gt=0,
            le=_MOST_CARDS,
            title="Weight",
            description="its share of the mix, in parts of the sum of all",
        ),
    ] = 1
    sql: Annotated[
        Sql, Field(title="SQL", description="one statement; parameters as %(name)s, a percent sign as %%")
    ]
    parameters: Annotated[
        dict[ParameterName, ParameterDraw],
        Field(title="Parameters", description="by name; tenant and tag need not be given"),
    ] = Field(default_factory=dict)
    tenant_column: Annotated[
        str | None,
        Field(
            title="Tenant column",
            description="of a read: says whose row it is; every row is checked to belong to the tenant that asked",
        ),
    ] = None
    columns: Annotated[
        tuple[str, ...],
        Field(
            title="Columns",
            description="names of the columns that a read must have, in order; any when left out",
        ),
    ] = ()
    min_rows: Annotated[
        int | None,
        Field(
            ge=0,
            title="Rows at least",
            description="fewer are a failure; 0 of a read, 1 of a write when left out",
        ),
    ] = None
    max_rows: Annotated[
        int | None,
        Field(
            ge=0,
            title="Rows at most",
            description="more are a failure; any of a read, 1 of a write when left out",
        ),
    ] = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        low, high = self.row_bounds
        if low > high:
            raise disagreement(f"max_rows is below min_rows: {high:g} < {low}", ["min_rows"], ["max_rows"])
        if self.kind == "write" and (self.tenant_column is not None or self.columns):
            raise disagreement(
                "tenant_column and columns are of reads", ["kind"], ["tenant_column"], ["columns"]
            )
        if self.columns and self.tenant_column is not None and self.tenant_column not in self.columns:
            raise disagreement("tenant_column is none of columns", ["tenant_column"], ["columns"])
        check_parameters(self.sql, self.draws)
        if self.kind == "write" and not {"tag", "own_row"} & {each.draw for each in self.draws.values()}:
            problem = "a write has to mark its row with %(tag)s, or change the worker's own_row: it could not be undone"
            raise disagreement(problem, ["parameters"])
        return self

    @property
    def draws(self) -> dict[str, ParameterDraw]:
        """The parameters of its SQL by name, with those that need not be given."""
        names = set(parameters_in(self.sql))
        given = {name: ParameterDraw(draw=name) for name in GIVEN if name in names}
        return {**given, **self.parameters}

    @property
    def row_bounds(self) -> tuple[int, float]:
        """How many rows it has to read or to change: at least and at most."""
        if self.kind == "write":
            low = 1 if self.min_rows is None else self.min_rows
            return low, max(1, low) if self.max_rows is None else self.max_rows
        return self.min_rows or 0, math.inf if self.max_rows is None else self.max_rows


class WrittenTable(Frozen):
    """A table that the run writes to, and the column by which its rows are found again."""

    table: Annotated[Identifier, Field(title="Table", description="with its schema or without")]
    tag_column: Annotated[
        str, Field(min_length=1, max_length=63, title="Tag column", description="holds %(tag)s")
    ]


class OwnRows(Frozen):
    """What the run writes, so that all of it is removed again."""

    tables: Annotated[
        tuple[WrittenTable, ...],
        Field(
            min_length=1,
            max_length=100,
            title="Tables",
            description="in the order in which rows can be removed",
        ),
    ]
    insert: Annotated[
        Sql | None,
        Field(
            title="Insert",
            description="inserts one row of %(tenant)s with %(tag)s and returns its key, for own_row and for the "
            "probe that a row of another tenant is refused",
        ),
    ] = None
    also_written: Annotated[
        tuple[Identifier, ...],
        Field(
            max_length=100,
            title="Also written",
            description="tables that triggers and functions change besides; nothing of that is looked at or undone",
        ),
    ] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.insert is not None and set(parameters_in(self.insert)) != set(GIVEN):
            raise disagreement("its parameters have to be %(tenant)s and %(tag)s", ["insert"])
        return self


class PolicyCost(Frozen):
    """One statement, run as the tenant and as a role that no policy binds: what the policy costs."""

    role: Annotated[
        RoleName, Field(title="Role", description="with BYPASSRLS, which the DSN's role may become")
    ]
    sql: Annotated[
        Sql, Field(title="SQL", description="a read that gives %(tenant)s its rows also without the policy")
    ]
    parameters: Annotated[
        dict[ParameterName, ParameterDraw], Field(title="Parameters", description="by name, as in statements")
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_parameters(self.sql, self.draws)
        if any(each.draw in ("tag", "own_row") for each in self.draws.values()):
            raise disagreement("a read has no row of its own", ["parameters"])
        return self

    @property
    def draws(self) -> dict[str, ParameterDraw]:
        """The parameters of its SQL by name."""
        return {TENANT: ParameterDraw(draw="tenant"), **self.parameters}


class WorkloadPlan(Frozen):
    """All that the database suite knows of a subject: statements, tenants, and what is written."""

    statements: Annotated[tuple[StatementPlan, ...], Field(min_length=1, max_length=100, title="Statements")]
    tenant_settings: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$", max_length=200)], str],
        Field(
            title="Tenant settings",
            description="set for each transaction, with ${tenant} for the tenant's id; `role` makes it that role's",
        ),
    ] = Field(default_factory=dict)
    tenants_file: Annotated[
        FileName | None,
        Field(title="Tenants file", description="CSV or Parquet whose first column has the ids of tenants"),
    ] = None
    own_rows: Annotated[
        OwnRows | None, Field(title="Own rows", description="needed where there are writes")
    ] = None
    policy_cost: Annotated[
        PolicyCost | None, Field(title="Policy cost", description="measures what the policies cost")
    ] = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        seen: dict[str, int] = {}
        for index, statement in enumerate(self.statements):
            first = seen.setdefault(statement.name, index)
            if first < index:
                problem = f"two statements have the same name, {statement.name}"
                raise disagreement(problem, ["statements", index, "name"], ["statements", first, "name"])
            self._check_writes(index, statement)
        if (total := sum(each.weight for each in self.statements)) > _MOST_CARDS:
            raise disagreement(f"the weights add up to {total:,}, more than {_MOST_CARDS:,}", ["statements"])
        for name, value in self.tenant_settings.items():
            if unknown := placeholders(value) - {TENANT}:
                problem = f"${{{min(unknown)}}} is unknown; ${{{TENANT}}} is the only placeholder"
                raise disagreement(problem, ["tenant_settings", name])
        return self

    def _check_writes(self, index: int, statement: StatementPlan) -> None:
        here: list[str | int] = ["statements", index]
        if statement.kind == "write" and self.own_rows is None:
            raise disagreement(
                "a write needs own_rows, where it is found again", [*here, "kind"], ["own_rows"]
            )
        if any(each.draw == "own_row" for each in statement.draws.values()) and (
            self.own_rows is None or self.own_rows.insert is None
        ):
            raise disagreement("own_row needs own_rows.insert", [*here, "parameters"], ["own_rows", "insert"])

    @property
    def files(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The data files that it names, each with the path of the field that does."""
        if self.tenants_file is not None:
            yield ("tenants_file",), self.tenants_file
        for path, draw in self.parameters:
            if draw.file is not None:
                yield (*path, "file"), draw.file

    @property
    def parameters(self) -> Iterator[tuple[tuple[str | int, ...], ParameterDraw]]:
        """The draws that it has, each with the path of its field."""
        for index, statement in enumerate(self.statements):
            for name, draw in statement.parameters.items():
                yield ("statements", index, "parameters", name), draw
        if self.policy_cost is not None:
            for name, draw in self.policy_cost.parameters.items():
                yield ("policy_cost", "parameters", name), draw

    @property
    def writes(self) -> bool:
        """Whether anything in it changes the subject."""
        return self.own_rows is not None or any(each.kind == "write" for each in self.statements)
