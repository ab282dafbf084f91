"""Layer 4 of the verdict: when did a series change for good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightbench.verdict.series.energy import Floats
from nightbench.verdict.series.steps import Demands, Step
from nightbench.verdict.series.stretches import steps_of


@dataclass(frozen=True)
class ChangePoint:
    """A lasting change of level.

    Attributes:
        index: Of the first value of the new level, in the series as it was given.
        effect: Relative change from the level before to the level after, over at most 30 values each: 0.1 is 10 %
            more. Infinite when the level before is 0.
        p: Of a two-sided t-test between the two levels.
        worse: Whether it went in the bad direction.
    """

    index: int
    effect: float
    p: float
    worse: bool


def change_points(
    values: Sequence[float | None] | npt.NDArray[np.float64],
    *,
    higher_is_worse: bool = True,
    largest_p: float = 1e-4,
    magnitude: float = 0.05,
    segment: int = 3,
) -> list[ChangePoint]:
    """The lasting changes of a series, oldest first.

    The series is cut where the energy distances between its values say so (`Energy`), and a cut stays when it passes
    every test (`lasting_steps`): the levels differ by `magnitude`; a t-test on winsorised values says p ≤ `largest_p`,
    its variance pooled with the noise of the whole series and made larger when a night resembles the one before; the
    difference shows right at the cut, else it is a slope. A level of at most 6 nights is told from a spell: p at most
    a third of `largest_p`, each of its nights on its side (from 5 on, all but one), and further away than the other
    level was for as long in its 30 nights next to it. What is closer together than `segment`, or goes back before the
    fifth night, is no lasting change.

    What it says of:

    - a spike, or two in a row, anywhere and at the end: nothing;
    - a constant series, an empty one, one with fewer than ``2 × segment`` known values: nothing;
    - None, NaN and ±inf: they are missing, left out, and count for `index` alone;
    - values all above 0: relative on a log scale, so that its noise may grow with its level;
    - zeros and negative values: the series is taken as it is, in units of its typical value (the median of what is not
      0), and `magnitude` is a part of that. A single 0 among latencies is a spike.

    Its limits: a slope is no step, and yet may be told as one or several of them. In 80 nights with 2.2 % noise, one of at
    most 0.1 % a night is told in 1 series of 100, 0.2 % in 7 of 10, 0.3 to 1 % in nearly all; in 4 % noise 0.1 % in 1 of 6.
    One that rises in a night by as much as its noise is mostly not told, whatever it adds up to. A spell of three or four nights looks like a change until it ends; then the point is gone. At
    2.2 % noise a step of 10 % is seen with its third night, one of 6 % with its fifth, and one of `magnitude` itself
    only when the noise leaves it that large. Of more than 400 known values no more than 400 are looked at together
    (`steps_of`), and time and memory grow as the length does.

    After e-divisive (Matteson & James, 2014), e-cp3o (James & Matteson, 2015) and Hunter (Fleming et al., "Hunter: using
    change point detection to hunt for performance regressions", ICPE 2023), whose p, magnitude and shortest segment are
    the defaults. ``make bench ONLY=changepoints`` measures it.

    Args:
        values: One value a night, shape ``(n,)``, oldest first.
        higher_is_worse: The direction of the metric; it decides `ChangePoint.worse` and nothing else.
        largest_p: Of a change.
        magnitude: Smallest relative change, up as ``1 + magnitude`` and down as its inverse.
        segment: Fewest values between two changes, and from a change to an end; at least 3.

    Raises:
        ValueError: `values` has not one dimension, or has what is no number; `segment` is less than 3.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"one value a night is needed, not an array of shape {given.shape}")
    if segment < 3:
        raise ValueError(f"a level of fewer than 3 values is no level: segment = {segment}")
    known = np.flatnonzero(np.isfinite(given))
    series = given[known]
    if len(series) < 2 * segment or series.min() == series.max():
        return []
    relative = bool(series.min() > 0)
    levels = np.log(series) if relative else _in_typical_values(series)
    least = math.log1p(magnitude) if relative else magnitude
    return [
        ChangePoint(
            index=int(known[step.cut]),
            effect=_effect(step, relative=relative),
            p=step.p,
            worse=(step.after > step.before) == higher_is_worse,
        )
        for step in steps_of(levels, Demands(largest_p, least, segment))
    ]


def _in_typical_values(series: Floats) -> Floats:
    """A series with zeros or negative values, in units of its typical value: the median of what is not 0."""
    small: Floats = series / np.abs(series).max()
    typical = max(
        float(np.median(np.abs(small[small != 0]))), 1e-6
    )  # what is larger by more would drown the rest
    return small / typical


def _effect(step: Step, *, relative: bool) -> float:
    change = step.after - step.before
    if relative:
        return math.expm1(change) if change < 700 else math.inf  # beyond, no float has it
    return change / abs(step.before) if step.before else math.copysign(math.inf, change)
