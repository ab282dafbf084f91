"""What the chart of a metric shows: its nights, and what tonight is held against."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

MOST_NIGHTS = 60
"""More points than that are no points any more at the width of a mail."""

_FAR = 3.0
"""By so many times a night that is not compared may lie beside those that are: a trial run would flatten all others."""
_95 = 1.96
"""Standard deviations of a normal variable to either side that hold 95 % of it."""

NightState = Literal[
    "night",  # valid, and may be compared with tonight
    "regression",  # the verdict on it said so of this metric, and nobody accepted it since
    "flagged",  # in no baseline of it: the verdict on another night found a regression that had begun by then
    "not compared",  # valid, on another plan, host or subject, or of another epoch
    "invalid",
    "tonight",
]


@dataclass(frozen=True)
class MetricNight:
    """One night of one metric.

    Attributes:
        night: Its id.
        started_at: UTC.
        value: In the metric's unit; None when missing.
        state: See `NightState`.
        release: Of the subject; None when nobody knows it.
    """

    night: str
    started_at: datetime
    value: float | None
    state: NightState
    release: str | None = None


@dataclass(frozen=True)
class BaselineBand:
    """The level that tonight is compared with.

    Attributes:
        since: The first night that it is drawn at.
        centre: In the metric's unit.
        low, high: Between them are 95 % of single nights; None where the noise is not known.
        effect: Tonight against `centre`, relative and signed; None without a value.
    """

    since: str
    centre: float
    low: float | None = None
    high: float | None = None
    effect: float | None = None


@dataclass(frozen=True)
class LevelChange:
    """A lasting change: the first night of the new level, and by how much, relative and signed."""

    night: str
    effect: float


@dataclass(frozen=True)
class ReleaseBegin:
    """A release of the subject, and the first night of it; one that is rolled back to begins anew."""

    night: str
    release: str


@dataclass(frozen=True)
class MetricNights:
    """One metric over the nights of its suite, tier and environment.

    Attributes:
        suite, tier, environment, metric, unit: What it is; the unit ``1`` and an empty one are not shown.
        nights: Oldest first; the last one is tonight.
        baseline: None where there is none yet.
        target: What is promised of the value, each bound with its operator: ``(("<", 2000.0),)``.
        epochs: The nights that an epoch begins with.
        changes: Lasting changes of level.
        releases: Those that began with one of its nights, oldest first; see `releases_of`.
    """

    suite: str
    tier: str
    environment: str
    metric: str
    unit: str
    nights: tuple[MetricNight, ...]
    baseline: BaselineBand | None = None
    target: tuple[tuple[str, float], ...] = ()
    epochs: tuple[str, ...] = ()
    changes: tuple[LevelChange, ...] = ()
    releases: tuple[ReleaseBegin, ...] = ()

    def last(self, most: int = MOST_NIGHTS) -> MetricNights:
        """The same with the last `most` nights alone."""
        return replace(self, nights=self.nights[-most:])

    def place(self, night: str) -> int | None:
        """Where a night stands, 0 for the oldest; None when it is not among them."""
        return next((place for place, each in enumerate(self.nights) if each.night == night), None)

    @property
    def shows_something(self) -> bool:
        """Whether an earlier night has a value: tonight's alone is no chart."""
        return any(_known(each.value) for each in self.nights[:-1])


def releases_of(nights: Iterable[MetricNight]) -> tuple[ReleaseBegin, ...]:
    """Each night whose release is known and another than the last known one before it.

    The first known one is none: nobody knows since when it runs.
    """
    known = [each for each in nights if each.release is not None]
    return tuple(
        ReleaseBegin(each.night, each.release)
        for before, each in pairwise(known)
        if each.release is not None and each.release != before.release
    )


def band(since: str, centre: float, noise: float | None, effect: float | None = None) -> BaselineBand:
    """The band of a baseline whose nights vary log-normally: ``centre · exp(±1.96 · noise)``.

    Args:
        since: The first night that it is drawn at.
        centre: Above 0 where a noise is known.
        noise: Standard deviation from night to night of the natural logarithm; None when it is not known.
        effect: Tonight against `centre`.
    """
    if noise is None or not math.isfinite(noise) or centre <= 0:
        return BaselineBand(since, centre, effect=effect)
    reach = math.exp(min(_95 * noise, 50.0))
    return BaselineBand(since, centre, centre / reach, centre * reach, effect)


def value_range(history: MetricNights) -> tuple[float, float]:
    """The least and the largest value that the chart has to have room for, with some air around.

    These are all nights that are valid, the baseline and its band, as far as this is no wider than what the nights
    need, and each bound of the target that is at most as far away as the values are from one another and from zero.
    An invalid night may be anywhere, and so may one that is not compared and lies `_FAR` away: they are drawn at the
    edge.
    """
    compared = _values_of(history, lambda state: state not in ("invalid", "not compared"))
    others = _values_of(history, lambda state: state == "not compared")
    if compared:
        others = [each for each in others if min(compared) / _FAR <= each <= max(compared) * _FAR]
    values = [*compared, *others] or [0.0]
    if history.baseline is not None:
        values.append(history.baseline.centre)
    low, high = min(values), max(values)
    size = max(high - low, 0.1 * max(abs(low), abs(high)), 1e-9)
    near: list[float] = [limit for _, limit in history.target if low - 2 * size <= limit <= high + 2 * size]
    if history.baseline is not None:
        edges = (history.baseline.low, history.baseline.high)
        near += [min(max(edge, low - size), high + size) for edge in edges if edge is not None]
    least, most = min([low, *near]), max([high, *near])
    air = 0.08 * max(most - least, 0.5 * size)
    return (max(least - air, 0.0) if least >= 0 else least - air), most + air


def shown_limits(history: MetricNights) -> Sequence[float]:
    """The bounds of the target that are within the chart."""
    low, high = value_range(history)
    return [limit for _, limit in history.target if low <= limit <= high]


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _values_of(history: MetricNights, wanted: Callable[[NightState], bool]) -> list[float]:
    return [
        each.value
        for each in history.nights
        if wanted(each.state) and each.value is not None and _known(each.value)
    ]
