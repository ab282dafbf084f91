"""Which cuts of a series are lasting changes of its level, and not noise, a spike, a spell or a slope."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from nightbench.verdict.series.energy import Energy, Floats

NOISE_FLOOR = 0.01
"""Noise below this is not believed."""

_PRICE = 6.0
"""What a cut has to gain to be looked at, in units of noise; the tests below decide."""

_WINDOW = 30
"""How many values next to a cut, on each side, make its levels: what is further away may have drifted."""

_NEAR = 10
"""How many values have to show the change right at the cut, or it is a slope."""

_AT_ONCE = 0.55
"""The part of the change that these have to show; a slope over the whole window shows a third."""

_YOUNG = 6
"""A level of at most so many values has to be told from a spell."""

_STRICTER = 0.3
"""Times `largest_p` for a young level: each night could begin one."""

_SPELL = 5
"""A level of fewer values that goes back is no lasting change."""

_SHORT = 12
_PURE = 0.85
"""One of at most so many values that goes back is none either when fewer than this share lie nearer to it."""

_TIES = 0.25
_USUAL = 0.95
"""Where more than the first share of the values are their level's median, the second share makes their noise."""

_PRIOR = 8
"""Weight of the noise of the whole series beside that of the two levels, in values."""


@dataclass(frozen=True)
class Demands:
    """What a change has to be.

    Attributes:
        largest_p: Of the t-test between the two levels.
        least: Smallest difference of the two levels.
        segment: Fewest values of a level.
    """

    largest_p: float
    least: float
    segment: int


@dataclass(frozen=True)
class Step:
    """A cut with the levels on its two sides.

    Attributes:
        cut: Index of the first value after it.
        before, after: The levels.
        p: Of the t-test between them, two-sided.
        doubt: 0 when it passed every test, else the larger the more it failed.
    """

    cut: int
    before: float
    after: float
    p: float
    doubt: float


def lasting_steps(levels: Floats, rules: Demands) -> list[Step]:
    """The cuts that pass every test, in order.

    As in Hunter (Fleming et al., 2023), more cuts are made than will stand, and the most doubtful is taken away until
    none is doubtful; what stood beside it is placed and tested anew.
    """
    energy = Energy(levels)
    # of normal noise the median distance of neighbours is 0.6745·√2 standard deviations, whatever steps there are
    rough = max(_median(np.abs(np.diff(levels))) / 0.954, NOISE_FLOOR)
    cuts = energy.best_cuts(_PRICE * rough, rules.segment)
    while cuts:
        course = _Course(levels, cuts, rough)
        steps = [course.step(at, rules) for at in range(len(cuts))]
        gone = _doubtful(steps) or course.spell()
        if not gone:
            return steps
        cuts = _without(cuts, gone, energy, len(levels), rules.segment)
    return []


def _doubtful(steps: list[Step]) -> list[int]:
    """The most doubtful step, if there is one; of equals the smallest."""
    worst = max(range(len(steps)), key=lambda at: (steps[at].doubt, -abs(steps[at].after - steps[at].before)))
    return [worst] if steps[worst].doubt else []


def _without(cuts: list[int], gone: list[int], energy: Energy, size: int, segment: int) -> list[int]:
    """`cuts` without those at `gone`; the ones beside them are moved by a few values where that is better."""
    kept = [cut for at, cut in enumerate(cuts) if at not in gone]
    for at in {gone[0] - 1, gone[0]} & set(range(len(kept))):
        low = kept[at - 1] if at else 0
        high = kept[at + 1] if at + 1 < len(kept) else size
        first, last = max(low + segment, kept[at] - 4), min(high - segment, kept[at] + 4)
        low, high = max(low, kept[at] - _WINDOW), min(high, kept[at] + _WINDOW)
        kept[at] = energy.cut_again(low, high, first, last)
    return kept


class _Course:
    """A series with its cuts: levels between them, and the noise about those."""

    def __init__(self, levels: Floats, cuts: list[int], rough: float) -> None:
        self._levels = levels
        self._ends = [0, *cuts, len(levels)]
        parts = [levels[low:high] for low, high in zip(self._ends, self._ends[1:], strict=False)]
        self._medians = [_median(part) for part in parts]
        rest = np.concatenate([part - middle for part, middle in zip(parts, self._medians, strict=True)])
        scale = 1.4826 * _median(np.abs(rest))
        # too many cuts make `scale` too small, which `rough` does not see; what is rounded makes `rough` too large
        self._noise = max(scale, min(rough, 1.5 * scale), 0.5 * rough, _of_ties(rest), NOISE_FLOOR)
        self._memory = _memory(levels, self._noise)

    def step(self, at: int, rules: Demands) -> Step:
        """The cut number `at`, tested."""
        low, cut, high = self._ends[at : at + 3]
        before, after = self._levels[max(low, cut - _WINDOW) : cut], self._levels[cut:high][:_WINDOW]
        first, second, p = self._t_test(before, after)
        return Step(cut, first, second, p, _doubt(before, after, second - first, p, rules))

    def _t_test(self, before: Floats, after: Floats) -> tuple[float, float, float]:
        """Both levels, and the p of their difference."""
        before, after = _tamed(before, 2.5 * self._noise), _tamed(after, 2.5 * self._noise)
        first, second = float(before.mean()), float(after.mean())
        squares = float(((before - first) ** 2).sum() + ((after - second) ** 2).sum())
        freedom = len(before) + len(after) - 2 + _PRIOR
        variance = max((squares + _PRIOR * self._noise**2) / freedom, NOISE_FLOOR**2)
        spread = variance * (self._per_value(len(before)) + self._per_value(len(after)))
        return first, second, 2 * float(stdtr(freedom, -abs(second - first) / math.sqrt(spread)))

    def _per_value(self, count: int) -> float:
        """Variance of the mean of `count` values with this memory, in units of one value's."""
        phi = self._memory
        return ((1 + phi) / (1 - phi) - 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)) / count

    def spell(self) -> list[int]:
        """The cuts at both ends of the first level that goes back to where it came from and is but a spell, if any."""
        for at in range(1, len(self._medians) - 1):
            before, level, after = self._medians[at - 1 : at + 2]
            if abs(after - before) >= 0.5 * min(abs(level - before), abs(level - after)):
                continue
            values = self._levels[self._ends[at] : self._ends[at + 1]]
            mixed = _share_of(values, level, (before + after) / 2) < _PURE and len(values) <= _SHORT
            if len(values) < _SPELL or mixed:
                return [at - 1, at]
        return []


def _doubt(before: Floats, after: Floats, effect: float, p: float, rules: Demands) -> float:
    """How much a step failed, see `Step`."""
    young = min(len(before), len(after)) <= _YOUNG
    if abs(effect) < rules.least:
        return 4
    if p > rules.largest_p * (_STRICTER if young else 1):
        return 2 + p
    sign = math.copysign(1, effect)
    if young and not _told_from_a_spell(sign * before, sign * after):
        return 1.5
    near = sign * (_median(after[:_NEAR]) - _median(before[-_NEAR:]))
    return 0 if near >= _AT_ONCE * abs(effect) else 1


def _told_from_a_spell(before: Floats, after: Floats) -> bool:
    """Whether a young level, above the other or below it as `after` is above `before`, is more than a spell.

    Each of its values lies nearer to it than to the other level (all but one, when it has five or more), and the
    other level never was a fifth less far away for as long.
    """
    if len(before) < len(after):
        before, after = -after, -before
    home, level, count = _median(before), _median(after), len(after)
    away = level - home
    if _share_of(after, level, home) < (1 if count < 5 else 0.8):
        return False
    if len(before) < count + 6:
        return True
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(before, count), axis=1)
    medians = (windows[:, (count - 1) // 2] + windows[:, count // 2]) / 2
    return away >= 1.2 * (float(medians.max()) - home)


def _of_ties(rest: Floats) -> float:
    """Noise of values on a coarse grid, which are so often equal that no median of distances sees it; else 0.

    That is the standard deviation of all but the farthest, which may be spikes.
    """
    if (rest == 0).mean() <= _TIES:
        return 0.0
    away = np.abs(rest)
    near = np.minimum(away, np.quantile(away, _USUAL))
    return math.sqrt(float((near * near).mean()))


def _share_of(values: Floats, level: float, other: float) -> float:
    """Which part of the values lies nearer to `level` than to `other`."""
    return float((np.abs(values - level) <= np.abs(values - other)).mean())


def _memory(levels: Floats, noise: float) -> float:
    """How much of a night's deviation the next one keeps (first autocorrelation), 0 to 0.8.

    From differences over one and over two values, which neither a step nor a slope disturbs:
    ``E(x[t+2] − x[t])² / E(x[t+1] − x[t])² = 1 + φ``. A short series is believed less.
    """
    one = np.minimum(np.abs(levels[1:] - levels[:-1]), 4 * noise)
    two = np.minimum(np.abs(levels[2:] - levels[:-2]), 4 * noise)
    squares = float((one * one).mean())
    if squares == 0:
        return 0.0
    phi = float((two * two).mean()) / squares - 1
    return min(max(phi * len(levels) / (len(levels) + 20), 0.0), 0.8)


def _tamed(values: Floats, most: float) -> Floats:
    """`values` no further than `most` from their median (winsorised)."""
    middle = _median(values)
    return np.minimum(np.maximum(values, middle - most), middle + most)


def _median(values: Floats) -> float:
    """As `numpy.median`, which takes five times as long for a few values."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
