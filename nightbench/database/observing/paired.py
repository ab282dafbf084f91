"""How much longer one thing takes than another that was done beside it, in pairs: estimate and interval. Pure.

Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd edition 2014, chapter 3: the Hodges-Lehmann
estimator (3.23) is the median of the Walsh averages, and the interval (3.4) is what the signed-rank test of
Wilcoxon does not reject. Unlike a mean, both hardly care for the few pairs that something else fell into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

LEAST_PAIRS = 20
"""With fewer nothing is said."""
LEVEL = 0.95
_Z = 1.959963984540054
_MOST_EXACT = 50
"""Pairs up to which the distribution of the statistic is counted out; past it, it is as good as normal."""


@dataclass(frozen=True)
class Shift:
    """By how much the first of a pair is more than the second, with the interval of `LEVEL`."""

    estimate: float
    low: float
    high: float


def shift(differences: Sequence[float]) -> Shift | None:
    """Of the differences of pairs; None for fewer than `LEAST_PAIRS`.

    Time and memory grow with the square of their number.
    """
    n = len(differences)
    if n < LEAST_PAIRS:
        return None
    values = np.asarray(differences, dtype=float)
    rows, columns = np.triu_indices(n)
    walsh = np.sort((values[rows] + values[columns]) / 2)
    cut = _cut(n)
    return Shift(float(np.median(walsh)), float(walsh[cut - 1]), float(walsh[len(walsh) - cut]))


@cache
def _cut(n: int) -> int:
    """Which Walsh average, from below and from above, bounds the interval."""
    if n > _MOST_EXACT:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return max(1, math.floor(n * (n + 1) / 4 - _Z * spread))
    # how many of the 2^n signs give each sum of ranks
    ways = np.ones(1)
    for rank in range(1, n + 1):
        ways = np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))
    below = np.cumsum(ways) / 2.0**n
    return max(1, int(np.searchsorted(below, (1 - LEVEL) / 2, side="right")))
