"""What the numbers and patterns of a policy may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Bound:
    """Which numbers are in order: from `least` to `most`, whole ones where `whole`.

    `beyond` leaves `least` out, `within` leaves `most` out.
    """

    least: float
    most: float = math.inf
    whole: bool = False
    beyond: bool = False
    within: bool = False

    def holds(self, number: object) -> bool:
        """Whether it is a finite number within the bound; true and false are none."""
        if isinstance(number, bool) or not isinstance(number, Integral if self.whole else Real):
            return False
        value = float(number)
        low = value > self.least if self.beyond else value >= self.least
        high = value < self.most if self.within else value <= self.most
        return math.isfinite(value) and low and high

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f"{'above' if self.beyond else 'of at least'} {self.least:g}"
        high = (
            f" and {'below' if self.within else 'at most'} {self.most:g}" if math.isfinite(self.most) else ""
        )
        return f"{kind} {low}{high}"


_SHARE = Bound(0, 1, beyond=True, within=True)
_ONE = Bound(1, whole=True)

BOUNDS: Mapping[str, Bound] = {
    "baseline_nights": _ONE,
    "least_nights": Bound(2, whole=True),  # one night has no noise
    "gating_nights": Bound(2, whole=True),
    "alpha": _SHARE,
    "sustained_nights": _ONE,
    "sustained_alpha": _SHARE,
    "judgements": _ONE,
    "prior_weight": Bound(0),
    "winsor": Bound(0, beyond=True),
    "least_noise": _SHARE,
    "most_noise": Bound(0, beyond=True),
    "effect_floor": _SHARE,
    "least_share": _SHARE,
    "host_nights": _ONE,
    "host_least": Bound(3, whole=True),
    "host_change": _SHARE,
    "host_chance": _SHARE,
    "host_explains": Bound(0),
    "change_nights": _ONE,
    "change_p": _SHARE,
    "change_magnitude": _SHARE,
    "change_segment": Bound(3, whole=True),
    "change_age": Bound(0, whole=True),
    "change_alpha": _SHARE,
    "change_together": Bound(0, whole=True),
}
"""Of each number of `Policy`."""


@dataclass(frozen=True)
class _Choice:
    """Yes or no."""

    def holds(self, value: object) -> bool:
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "true or false"


_BY_PATTERN: Mapping[str, Bound | _Choice] = {
    "effect_floors": _SHARE,
    "host_changes": Bound(0),
    "higher_is_worse": _Choice(),
    "gates": _Choice(),
}

NOT_MORE = (
    ("least_nights", "gating_nights"),
    ("gating_nights", "baseline_nights"),
    ("host_least", "host_nights"),
)
"""The first may not be more than the second: what it asks for could never be."""


def check(fields: Mapping[str, Any]) -> None:
    """Hold the fields of a policy against their bounds.

    Raises:
        ValueError: naming the first field that is out of its bound, and the bound.
    """
    for name, bound in BOUNDS.items():
        if not bound.holds(fields[name]):
            raise ValueError(f"{name} has to be {bound}, not {fields[name]!r}")
    for low, high in NOT_MORE:
        if fields[low] > fields[high]:
            raise ValueError(f"{low} ({fields[low]}) cannot be more than {high} ({fields[high]})")
    for name, rule in _BY_PATTERN.items():
        _check_patterns(name, fields[name], rule)


def _check_patterns(name: str, rules: object, rule: Bound | _Choice) -> None:
    if not isinstance(rules, Mapping):
        raise ValueError(f"{name} has to be a mapping from patterns, not {rules!r}")  # noqa: TRY004  # as all else
    for pattern, value in rules.items():
        if not isinstance(pattern, str) or not pattern:
            raise ValueError(f"{name}: a pattern is a text that is not empty, not {pattern!r}")
        if not rule.holds(value):
            raise ValueError(f"{name}[{pattern!r}] has to be {rule}, not {value!r}")
