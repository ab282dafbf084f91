"""The parameters of a statement: how they stand in its SQL, and where their values come from."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nightbench.frozen import Frozen
from nightbench.plan.agreement import disagreement
from nightbench.plan.conversation import FileName

ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

GIVEN = ("tenant", "tag")
"""Parameters that need not be said where they come from."""

_MOST_NUMBERS = 2**53
"""That the 53 bits of a float can tell apart."""

_PLACEHOLDER = re.compile(r"%%|%\((?P<name>[^()]*)\)s|%(?P<other>.?)", re.DOTALL)


class ParameterDraw(Frozen):
    """Where the values of one parameter come from; drawn anew for each operation from the plan's seed.

    tenant: the tenant's id. tag: marks what the run writes, so that it is found again. own_row: the key of a
    row that belongs to the worker alone, for updates. uniform: evenly one of low, low + step, … up to high.
    zipf: one of the same numbers, the k-th as often as 1/k^exponent. choice: evenly one of `values`. file: evenly
    one of the values of a column.
    """

    draw: Annotated[
        Literal["tenant", "tag", "own_row", "uniform", "zipf", "choice", "file"],
        Field(title="Draw", description="where the values come from"),
    ]
    low: Annotated[float, Field(ge=-1e15, le=1e15, title="Low", description="uniform, zipf: the first")] = 0
    high: Annotated[
        float | None, Field(ge=-1e15, le=1e15, title="High", description="uniform, zipf: the last at most")
    ] = None
    decimals: Annotated[
        int, Field(ge=0, le=9, title="Decimals", description="uniform, zipf: places after the point")
    ] = 0
    step: Annotated[
        float | None,
        Field(
            gt=0,
            le=1e15,
            title="Step",
            description="uniform, zipf: from one to the next; the smallest when left out",
        ),
    ] = None
    exponent: Annotated[
        float, Field(gt=0, le=10, title="Exponent", description="zipf: the larger, the more the first ones")
    ] = 1.0
    values: Annotated[
        tuple[str | bool | int | float | None, ...],
        Field(max_length=10_000, title="Values", description="choice: what is chosen from"),
    ] = ()
    file: Annotated[
        FileName | None, Field(title="File", description="file: CSV or Parquet, with a header")
    ] = None
    column: Annotated[
        str | None, Field(title="Column", description="file: whose values are drawn; the first when left out")
    ] = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        numbers = self.draw in ("uniform", "zipf")
        if numbers != (self.high is not None):
            raise disagreement("high goes with draw: uniform and draw: zipf", ["draw"], ["high"])
        if self.high is not None and self.high < self.low:
            raise disagreement(f"high is below low: {self.high:g} < {self.low:g}", ["low"], ["high"])
        if (self.draw == "choice") != bool(self.values):
            raise disagreement("values go with draw: choice", ["draw"], ["values"])
        if (self.draw == "file") != (self.file is not None):
            raise disagreement("a file goes with draw: file", ["draw"], ["file"])
        for index, value in enumerate(self.values):
            if isinstance(value, str) and "\0" in value:
                raise disagreement("it holds a NUL, which no value of PostgreSQL can", ["values", index])
        for name in ("low", "step"):
            if self._units(getattr(self, name)) % 1:
                problem = f"{name} has more places after the point than decimals, {self.decimals}"
                raise disagreement(problem, [name], ["decimals"])
        if numbers and self.count > _MOST_NUMBERS:
            problem = f"there are more than {_MOST_NUMBERS:.2g} numbers to draw from"
            raise disagreement(problem, ["low"], ["high"], ["decimals"])
        return self

    @property
    def first(self) -> int:
        """The lowest number of uniform and zipf, as a multiple of 10^-decimals."""
        return int(self._units(self.low))

    @property
    def stride(self) -> int:
        """From one number to the next, likewise."""
        return int(self._units(self.step)) or 1

    @property
    def count(self) -> int:
        """How many numbers there are from low to high."""
        return (math.floor(self._units(self.high)) - self.first) // self.stride + 1

    def _units(self, number: float | None) -> Decimal:
        """`number` as a multiple of 10^-decimals, as it was written and not as the float closest to it."""
        return Decimal(repr(number or 0.0)).scaleb(self.decimals)


def parameters_in(sql: str) -> tuple[str, ...]:
    """The names of the parameters of a statement, in order; ``%%`` is a percent sign.

    Raises:
        ValueError: for a percent sign that is neither.
    """
    names = []
    for found in _PLACEHOLDER.finditer(sql):
        if found["other"] is not None:
            msg = f"%{found['other']} is no parameter: write %(name)s, and %% for a percent sign"
            raise ValueError(msg)
        if found["name"] is not None:
            names.append(found["name"])
    return tuple(dict.fromkeys(names))


def _readable(sql: str) -> str:
    parameters_in(sql)
    return sql


Sql = Annotated[str, Field(min_length=1, max_length=65_536, pattern=r"^[^\x00]*$"), AfterValidator(_readable)]
"""A statement with its parameters as ``%(name)s``."""


def numbered(sql: str) -> str:
    """`sql` as the server has it: its parameters as $1, $2, … in the order of `parameters_in`."""
    places = {name: place for place, name in enumerate(parameters_in(sql), start=1)}
    return _PLACEHOLDER.sub(lambda found: f"${places[found['name']]}" if found["name"] else "%", sql)


def check_parameters(sql: str, draws: dict[str, ParameterDraw]) -> None:
    """See that each parameter of `sql` is drawn, and that each one drawn stands in it.

    Raises:
        ValueError: naming one that is not.
    """
    names = set(parameters_in(sql))
    if missing := sorted(names - set(draws)):
        raise disagreement(f"nothing says what %({missing[0]})s is", ["sql"], ["parameters"])
    if idle := sorted(set(draws) - names - set(GIVEN)):
        raise disagreement(
            f"{idle[0]} does not stand in the SQL as %({idle[0]})s", ["parameters", idle[0]], ["sql"]
        )
