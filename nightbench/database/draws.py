"""Values of parameters from 64 random bits: the same bits, the same value, whichever process draws it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol, cast

from nightbench.plan.parameters import ParameterDraw

Given = Literal["tenant", "tag", "own_row"]
Parameters = dict[str, Any]
Columns = Mapping[tuple[str, str | None], tuple[str, ...]]
"""The values of the columns of files, by the file's name and the column's as the plan has them."""

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mixed(seed: int, index: int) -> int:
    """64 pseudo-random bits for place `index` of `seed`: SplitMix64 (Steele, Lea, Flood 2014)."""
    z = (index * _GOLDEN + seed * 0xD1B54A32D192ED03 + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Draw(Protocol):
    """What makes a value of 64 random bits; picklable."""

    def __call__(self, number: int) -> object:
        """The value of `number`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Evenly one of `values`."""

    values: tuple[object, ...]

    def __call__(self, number: int) -> object:
        return self.values[number * len(self.values) >> 64]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers low, low + step, …: `count` of them, each a multiple of 10^-`decimals`.

    Attributes:
        first: `low`, as a multiple of 10^-decimals.
        step: Likewise.
        decimals: Places after the point; a number without any is an int, another a Decimal.
    """

    first: int
    step: int
    count: int
    decimals: int

    def at(self, place: int) -> int | Decimal:
        """The number at `place`, counted from 0."""
        number = self.first + place * self.step
        return Decimal(number).scaleb(-self.decimals) if self.decimals else number


@dataclass(frozen=True, slots=True)
class Uniform:
    """Evenly one of `numbers`."""

    numbers: Numbers

    def __call__(self, number: int) -> object:
        return self.numbers.at(number * self.numbers.count >> 64)


class Zipf:
    """One of `numbers`, the k-th (from 1) as often as 1/k^`exponent`.

    Rejection-inversion (Hörmann, Derflinger: Rejection-inversion to generate variates from monotone discrete
    distributions, ACM TOMACS 6.3, 1996): no table, and 1.1 attempts or so whatever the count. With
    H(x) = ∫ t^-s dt from 1 to x, a point is drawn evenly from (H(3/2) - 1, H(n + 1/2)], its inverse rounded to k,
    and k taken when the point lies at or above H(k + 1/2) - k^-s, where the hat's area is the law's own.
    """

    __slots__ = ("_end", "_near", "_numbers", "_power", "_span", "_start")

    def __init__(self, numbers: Numbers, exponent: float) -> None:
        self._numbers = numbers
        self._power = exponent
        self._start = _integral(1.5, exponent) - 1.0
        self._end = _integral(numbers.count + 0.5, exponent)
        self._span = self._start - self._end
        # so close to k, a point is taken without a look at the areas
        self._near = 2.0 - _inverse(_integral(2.5, exponent) - 2.0**-exponent, exponent)

    def __call__(self, number: int) -> object:
        power, count = self._power, self._numbers.count
        attempt = 0
        while True:
            point = self._end + (number >> 11) * 2.0**-53 * self._span
            x = _inverse(point, power)
            k = min(max(int(x + 0.5), 1), count)
            if k - x <= self._near or point >= _integral(k + 0.5, power) - k**-power:
                return self._numbers.at(k - 1)
            attempt += 1
            number = mixed(number, attempt)


def _integral(x: float, power: float) -> float:
    """The integral of t^-power from 1 to x; exact also where power is close to 1."""
    log = math.log(x)
    place = (1.0 - power) * log
    return log * (math.expm1(place) / place if abs(place) > 1e-12 else 1.0 + place / 2)


def _inverse(area: float, power: float) -> float:
    """The x of which `_integral` is `area`."""
    place = max(area * (1.0 - power), -1.0 + 2**-53)  # rounding may have put it past the pole
    return math.exp(area * (math.log1p(place) / place if abs(place) > 1e-12 else 1.0 - place / 2))


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parameters of one statement come from.

    Attributes:
        given: Name and source of those that are not drawn.
        drawn: Name and draw of the others; each has random bits of its own.
    """

    given: tuple[tuple[str, Given], ...] = ()
    drawn: tuple[tuple[str, Draw], ...] = ()

    def parameters(
        self, number: int, *, tenant: str, tag: str = "", own_row: object | None = None
    ) -> Parameters:
        """The parameters by name.

        Args:
            number: 64 random bits.
            tenant: Whose transaction it is.
            tag: Marks what the run writes.
            own_row: The key of a row that the worker alone may change.
        """
        parameters = self._given(tenant, tag, own_row)
        for place, (name, draw) in enumerate(self.drawn):
            parameters[name] = draw(mixed(number, place))
        return parameters

    def extremes(
        self, *, tenant: str, tag: str = "", own_row: object | None = None
    ) -> tuple[Parameters, Parameters]:
        """The parameters with the lowest bits that there are, and with the highest: the ends of each range."""
        lowest, highest = (self._given(tenant, tag, own_row) for _ in range(2))
        for name, draw in self.drawn:
            lowest[name], highest[name] = draw(0), draw(_MASK)
        return lowest, highest

    def _given(self, tenant: str, tag: str, own_row: object | None) -> Parameters:
        sources = {"tenant": tenant, "tag": tag, "own_row": own_row}
        return {name: sources[source] for name, source in self.given}

    def takes(self, source: Given) -> bool:
        """Whether one of them is `source`."""
        return any(each == source for _, each in self.given)


def sources_of(draws: Mapping[str, ParameterDraw], columns: Columns) -> Sources:
    """Where the parameters of a statement of a plan come from.

    Args:
        draws: Of the plan, by name.
        columns: The values of the files that they name, by file and column.
    """
    given = [(name, cast("Given", each.draw)) for name, each in draws.items() if each.draw in _GIVEN]
    drawn = [(name, _draw(each, columns)) for name, each in draws.items() if each.draw not in _GIVEN]
    return Sources(tuple(given), tuple(drawn))


_GIVEN = frozenset({"tenant", "tag", "own_row"})


def _draw(plan: ParameterDraw, columns: Columns) -> Draw:
    match plan.draw:
        case "choice":
            return Choice(plan.values)
        case "file":
            assert plan.file is not None
            return Choice(columns[plan.file, plan.column])
    numbers = Numbers(plan.first, plan.stride, plan.count, plan.decimals)
    return Uniform(numbers) if plan.draw == "uniform" else Zipf(numbers, plan.exponent)
