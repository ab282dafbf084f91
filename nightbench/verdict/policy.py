"""What the verdict holds against earlier nights, and how strictly: every number of it in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType


def _none() -> Mapping[str, float]:
    return MappingProxyType({})


def _no_direction() -> Mapping[str, bool]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Policy:
    """How a night is judged; the defaults are the design's.

    Attributes:
        baseline_nights: How many of the last comparable nights make the baseline, at most.
        least_nights: Fewer have no baseline: targets only.
        gating_nights: Fewer are provisional: shown, never a regression.
        alpha: Chance of a wrong suspect over all gating metrics of a night (Holm).
        sustained_nights: How many nights' median the sustained layer looks at.
        sustained_alpha: The same as `alpha` for that layer.
        judgements: How many such judgements one night takes, one a tier; `alpha` is shared among them.
        prior_weight: Weight of the noise of all metrics beside the metric's own, in nights.
        least_noise: Relative noise from night to night below which none is believed.
        most_noise: Relative noise above which a tail percentile does not gate.
        effect_floor: Relative change below which nothing is a regression.
        effect_floors: The same for metrics by name or pattern (``*.success_rate``); the first that fits wins.
        higher_is_worse: Directions by name or pattern, before what the name itself says.
        change_nights: How many of the epoch's last nights are looked at for change points.
        change_p: Largest p of a change point.
        change_magnitude: Smallest relative change of one.
        change_segment: Fewest nights between two.
        change_age: A change point alerts when it is at most so many nights old.
        change_together: Change points of metrics at most so many nights apart are one change.
    """

    baseline_nights: int = 20
    least_nights: int = 5
    gating_nights: int = 10
    alpha: float = 0.01
    sustained_nights: int = 3
    sustained_alpha: float = 0.005
    judgements: int = 1
    prior_weight: float = 10.0
    least_noise: float = 0.01
    most_noise: float = 0.10
    effect_floor: float = 0.05
    effect_floors: Mapping[str, float] = field(default_factory=_none)
    higher_is_worse: Mapping[str, bool] = field(default_factory=_no_direction)
    change_nights: int = 80
    change_p: float = 1e-4
    change_magnitude: float = 0.05
    change_segment: int = 3
    change_age: int = 10
    change_together: int = 3

    def floor_of(self, metric: str) -> float:
        """The smallest relative change of `metric` that matters."""
        return _first(self.effect_floors, metric, self.effect_floor)


def _first(patterns: Mapping[str, float], metric: str, otherwise: float) -> float:
    return next((value for pattern, value in patterns.items() if fnmatchcase(metric, pattern)), otherwise)
