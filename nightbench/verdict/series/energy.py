"""Where a series is best cut into stretches of one level each, judged by the distances between its values.

The distance of Matteson & James (2014, "A nonparametric approach for multiple change point analysis of multivariate
data", e-divisive) with exponent 1: what a cut gains is half their ``Q`` of the two sides. Instead of cutting
greedily, all partitions are searched by dynamic programming, as in James & Matteson (2015, "Change points via
probabilistically pruned objectives", e-cp3o): exact, without chance, and a change that goes back after a while does
not hide itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Energy:
    """The energy within every stretch of a series: small where its values are alike.

    An outlier weighs as much as it is far away, not its square.

    Args:
        levels: The series, without gaps; on a scale where noise is the same everywhere.
    """

    def __init__(self, levels: Floats) -> None:
        distances = np.abs(levels[:, None] - levels[None, :])
        upper, sizes = _shape(len(levels))
        distances *= upper
        sums = distances[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        sums /= sizes
        self._within = sums

    def cut_again(self, start: int, stop: int, first: int, last: int) -> int:
        """The best of the cuts `first` … `last` of the stretch ``[start, stop)`` into two."""
        cuts = np.arange(first, last + 1)
        return first + int((self._within[start, cuts - 1] + self._within[cuts, stop - 1]).argmin())

    def best_cuts(self, price: float, segment: int) -> list[int]:
        """Where the cheapest partition is cut: the indices at which a stretch begins, but for the first.

        Args:
            price: What a cut has to gain, in units of the series.
            segment: Fewest values between two cuts.
        """
        within = self._within
        size = len(within)
        if size < 2 * segment or not self._any_cut_pays(price, segment):
            return []
        best = np.full(size + 1, np.inf)
        best[0] = -price
        came_from = [0] * (size + 1)
        columns = np.ascontiguousarray(within.T)
        for stop in range(segment, size + 1):
            starts = stop - segment + 1
            costs = best[:starts] + columns[stop - 1, :starts]
            came_from[stop] = start = int(costs.argmin())
            best[stop] = costs[start] + price
        cuts = []
        stop = came_from[size]
        while stop > 0:
            cuts.append(stop)
            stop = came_from[stop]
        return cuts[::-1]

    def _any_cut_pays(self, price: float, segment: int) -> bool:
        """Whether the best partition can have a cut at all.

        If it has, its first cut pays within what lies before the second: else the partition without it would be
        cheaper. Most series are quiet, and this spares them the search.
        """
        within, size = self._within, len(self._within)
        whole = within[0, 2 * segment - 1 :]
        before = within[0, segment - 1 : size - segment, None]
        after = within[segment : size - segment + 1, 2 * segment - 1 :]
        return bool((whole - before - after).max() >= price)


def _shape(size: int) -> tuple[Floats, Floats]:
    """What counts each pair once, and how many values the stretch from row to column has."""
    upper, sizes = _largest_shape(1 << (size - 1).bit_length())
    return upper[:size, :size], sizes[:size, :size]


@lru_cache(maxsize=10)
def _largest_shape(size: int) -> tuple[Floats, Floats]:
    """The same, of which those of shorter series are a corner: one for each power of two is kept."""
    upper = np.triu(np.ones((size, size)))
    index = np.arange(size)
    sizes = np.maximum(index[None, :] - index[:, None] + 1, 1).astype(np.float64)
    return upper, sizes
