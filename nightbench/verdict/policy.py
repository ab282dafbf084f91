"""What the verdict holds against earlier nights, and how strictly: every number of it in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nightbench.verdict import direction, gating
from nightbench.verdict.bounds import check
from nightbench.verdict.patterns import first_match


def _no_rules() -> Mapping[str, bool]:
    return MappingProxyType({})


def _floors() -> Mapping[str, float]:
    return MappingProxyType({"*success_rate": 0.01})


def _host_changes() -> Mapping[str, float]:
    # ms: less is a few switches of context, and under a thousandth of a reply's time that a user would notice
    return MappingProxyType({gating.ECHO: 0.02})


@dataclass(frozen=True)
class Policy:
    """How a night is judged; the defaults are the design's.

    Patterns are names with ``*`` for any text and ``?`` for one character; the first that fits wins.

    Attributes:
        baseline_nights: How many of the last comparable nights make the baseline, at most.
        least_nights: Fewer have no baseline: targets only.
        gating_nights: Fewer are provisional: shown, never a regression.
        alpha: Chance of a wrong suspect over all gating metrics of a night (Holm).
        sustained_nights: How many nights' median the sustained layer looks at.
        sustained_alpha: The same as `alpha` for that layer.
        judgements: How many such judgements one night takes, one a tier; they share the levels.
        prior_weight: Most weight of the noise of all metrics beside the metric's own, in nights.
        winsor: How many robust standard deviations from the median a baseline night may count.
        least_noise: Relative noise from night to night below which none is believed; a fifth of the
            metric's floor where that is less.
        most_noise: Relative noise above which a tail percentile does not gate.
        effect_floor: Relative change below which nothing is a regression.
        effect_floors: The same for metrics by pattern: one percent of a success rate matters.
        least_share: Values of no more than this share of the median are taken for it: a logarithm needs some.
        higher_is_worse: Directions by pattern, before what the name itself says.
        gates: Which metrics gate, by pattern, before what the name itself says.
        host_nights: Over how many nights before tonight the host's calibration is known.
        host_least: Fewer nights know no calibration.
        host_change: Relative change of a calibration below which the host is not off.
        host_changes: The same in the calibration's unit, by pattern.
        host_chance: Chance of a calibration to be taken for off on a quiet host.
        host_explains: A slower host explains a time by this power of its slowness, 2 is a queue's that is half full; a
            throughput by its slowness alone, and neither success rates nor counts. A disk so explains what commits
            take, and by its slowness alone what has commits in it; see `nightbench.verdict.slowed`.
        change_nights: How many of the epoch's last nights are looked at for change points.
        change_p: Largest p of a change point.
        change_magnitude: Smallest relative change of one.
        change_segment: Fewest nights between two.
        change_age: A change point alerts when it is at most so many nights old.
        change_alpha: The same as `alpha` for a change point that alerts.
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
    winsor: float = 3.0
    least_noise: float = 0.01
    most_noise: float = 0.10
    effect_floor: float = 0.05
    effect_floors: Mapping[str, float] = field(default_factory=_floors)
    least_share: float = 0.01
    higher_is_worse: Mapping[str, bool] = field(default_factory=_no_rules)
    gates: Mapping[str, bool] = field(default_factory=_no_rules)
    host_nights: int = 20
    host_least: int = 5
    host_change: float = 0.10
    host_changes: Mapping[str, float] = field(default_factory=_host_changes)
    host_chance: float = 0.001
    host_explains: float = 2.0
    change_nights: int = 80
    change_p: float = 1e-4
    change_magnitude: float = 0.05
    change_segment: int = 3
    change_age: int = 10
    change_alpha: float = 0.001
    change_together: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ValueError: naming the field and its bound, see `BOUNDS`.
        """
        check(vars(self))

    @property
    def tonight_level(self) -> float:
        """Of one judgement of tonight: the judgements of a night have `alpha` together."""
        return self.alpha / self.judgements

    @property
    def sustained_level(self) -> float:
        """Of one judgement of the last nights.

        It falls by the root of their number alone: the effect floor, the second condition on tonight, and what the
        metrics of a suite have in common leave most of this level unused (see the simulation).
        """
        return self.sustained_alpha / math.sqrt(self.judgements)

    @property
    def change_level(self) -> float:
        """Of the change points of one judgement: the judgements of a night have `change_alpha` together."""
        return self.change_alpha / self.judgements

    def floor_of(self, metric: str) -> float:
        """The smallest relative change of `metric` that matters."""
        return first_match(self.effect_floors, metric, self.effect_floor)

    def least_noise_of(self, metric: str) -> float:
        """The relative noise of `metric` below which none is believed."""
        return min(self.least_noise, self.floor_of(metric) / 5)

    def worse_when_higher(self, metric: str) -> bool:
        """Whether more of `metric` is bad."""
        return first_match(self.higher_is_worse, metric, direction.higher_is_worse(metric))

    def gates_on(self, metric: str) -> bool:
        """Whether `metric` can be a regression; the host's own figures cannot."""
        return first_match(self.gates, metric, gating.gates(metric)) and not gating.of_host(metric)
