"""The level of the earlier nights and their own noise, metric by metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightbench.verdict.panel import Bools, Floats, Ints, median_variance

TO_SIGMA = 1.4826
"""A normal standard deviation is so many median absolute deviations."""


@dataclass(frozen=True)
class Baseline:
    """What the chosen nights say, on the log scale; each of shape (m,).

    Attributes:
        nights: How many there are.
        centre: Mean of their winsorised values; NaN without any.
        variance: Of a night, unbiased under normal noise; NaN with fewer than two.
        block_variance: Mean variance of the median of their blocks, in that of a block.
    """

    nights: Ints
    centre: Floats
    variance: Floats
    block_variance: Floats


def last(eligible: Bools, most: int) -> Bools:
    """The last `most` of the eligible nights of each metric; shape (n, m)."""
    from_the_end = np.cumsum(eligible[::-1], axis=0)[::-1]
    return eligible & (from_the_end <= most)


def baseline_of(logs: Floats, blocks: Ints, chosen: Bools, *, winsor: float, least: Floats) -> Baseline:
    """The baseline that `chosen` nights make.

    A night that is far out counts as `winsor` robust standard deviations (median absolute deviation) from the
    median, so that one spike neither moves the level nor hides in the noise what comes after it. No night counts
    less than the second farthest is away: two nights far out are no spike but a way that the metric has.

    Args:
        logs: Natural logarithms of the values; shape (n, m).
        blocks: How many blocks are behind each; shape (n, m).
        chosen: The nights of each metric; shape (n, m).
        winsor: Robust standard deviations from the median that count at most.
        least: Relative noise below which none is believed, so that equal values bound no other; shape (m,).
    """
    nights = chosen.sum(axis=0)
    used = chosen.any(axis=1)
    chosen, logs, blocks = chosen[used], np.where(chosen, logs, np.nan)[used], blocks[used]
    median = middle(logs, nights)
    away = np.abs(logs - median)
    reach = winsor * np.maximum(TO_SIGMA * middle(away, nights), least)
    reach = np.fmax(reach, _second_largest(away, nights))
    near = np.where(chosen, np.clip(logs, median - reach, median + reach), 0.0)
    count = np.maximum(nights, 1)
    centre = near.sum(axis=0) / count
    squares = (np.where(chosen, near - centre, 0.0) ** 2).sum(axis=0)
    variance = squares / np.maximum(nights - 1, 1) / _kept(nights)
    of_blocks = np.where(chosen, median_variance(blocks), 0.0).sum(axis=0) / count
    return Baseline(
        nights=nights,
        centre=np.where(nights > 0, centre, np.nan),
        variance=np.where(nights > 1, variance, np.nan),
        block_variance=np.where(nights > 0, of_blocks, np.nan),
    )


def middle(values: Floats, count: Ints) -> Floats:
    """Median of each column, of which `count` are no NaN; quicker than `np.nanmedian`."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    ordered = np.sort(values, axis=0)  # NaN last
    columns = np.arange(values.shape[1])
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    middle = ordered[low, columns] / 2 + ordered[np.minimum(high, len(values) - 1), columns] / 2
    return np.where(count > 0, middle, np.nan)


def _second_largest(values: Floats, count: Ints) -> Floats:
    """Of each column, of which `count` are no NaN; NaN where there are fewer than two."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    found = np.sort(values, axis=0)[np.maximum(count - 2, 0), np.arange(values.shape[1])]  # NaN last
    return np.where(count > 1, found, np.nan)


def _kept(nights: Ints) -> Floats:
    """The share of a normal variance that this winsorising at three robust deviations leaves, by simulation."""
    return np.interp(nights, _NIGHTS, _KEPT)


_NIGHTS = (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 30, 40)
_KEPT = (
    0.780,
    0.890,
    0.899,
    0.931,
    0.937,
    0.951,
    0.954,
    0.962,
    0.970,
    0.974,
    0.978,
    0.980,
    0.983,
    0.988,
    0.990,
)
