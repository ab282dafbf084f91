"""What a workload takes along from outside of the plan: tenants and columns of values. Read before any load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nightbench.data import Row, read_rows
from nightbench.database.draws import Columns
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.plan.fields import dotted
from nightbench.plan.parameters import ParameterDraw
from nightbench.plan.workload import WorkloadPlan
from nightbench.scrub import scrub
from nightbench.spelling import did_you_mean
from nightbench.tenants import first_tenants

_Path = tuple[str | int, ...]

_SHOWN = 60
"""Characters of a tenant's id in an error."""


@dataclass(frozen=True)
class Provisions:
    """What the files of a plan hold; picklable, for other processes.

    Attributes:
        tenants: The ids of those that take part, as the server prints them.
        columns: The values that parameters are drawn from.
    """

    tenants: tuple[str, ...] = field(repr=False)
    columns: Columns = field(default_factory=dict, repr=False)


def load_provisions(plan: DatabasePlan) -> Provisions:
    """Read every file that the workload of `plan` names.

    The tenants are the first `plan.tenants` of the tenants file, all of them where it has fewer, or
    nightbench's own first ones without such a file.

    Raises:
        ConfigurationError: naming the field of the plan.
    """
    mix = plan.mix
    files: dict[str, tuple[Row, ...]] = {}
    for path, name in mix.files:
        if name not in files:
            files[name] = read_rows(name, _setting(*path))
    return Provisions(_tenants(plan, files), _columns(mix, files))


def _setting(*path: str | int) -> str:
    return dotted(("workload", *path))


def _tenants(plan: DatabasePlan, files: Mapping[str, tuple[Row, ...]]) -> tuple[str, ...]:
    name = plan.mix.tenants_file
    if name is None:
        return tuple(map(str, first_tenants(plan.tenants)))
    seen: dict[str, int] = {}
    for number, row in enumerate(files[name][: plan.tenants], start=1):
        tenant = next(iter(row.values()))
        if not tenant or "\0" in tenant:
            problem = f"row {number} has no tenant in its first column"
            raise ConfigurationError(_setting("tenants_file"), name, problem, "leave the row out")
        first = seen.setdefault(tenant, number)
        if first < number:
            problem = f"rows {first} and {number} have the same tenant, {scrub(tenant[:_SHOWN])!r}"
            raise ConfigurationError(_setting("tenants_file"), name, problem, "leave one of them out")
    return tuple(seen)


def _columns(mix: WorkloadPlan, files: Mapping[str, tuple[Row, ...]]) -> Columns:
    columns: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for path, draw in mix.parameters:
        if draw.file is not None and (draw.file, draw.column) not in columns:
            columns[draw.file, draw.column] = _column(files[draw.file], draw, path)
    return columns


def _column(rows: tuple[Row, ...], draw: ParameterDraw, path: _Path) -> tuple[str, ...]:
    column = next(iter(rows[0])) if draw.column is None else draw.column
    if column not in rows[0]:
        way_out = did_you_mean(column, rows[0])
        raise ConfigurationError(
            _setting(*path, "column"), column, f"{draw.file} has no such column", way_out
        )
    values = tuple(row[column] for row in rows)
    for number, value in enumerate(values, start=1):
        if "\0" in value:
            problem = f"row {number} of its column {column} holds a NUL, which no value of PostgreSQL can"
            raise ConfigurationError(_setting(*path, "file"), draw.file, problem, "leave the row out")
    return values
