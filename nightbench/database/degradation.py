"""Did the database get slower while it was loaded? Response times by segments, and how surely they grew."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from nightbench.load.histogram import Histogram, samples_needed
from nightbench.load.timeline import NEVER

SEGMENTS = 20
FEWEST_SEGMENTS = 5
_Z_95 = 1.6449
"""One-sided 95 % quantile of the normal distribution."""


class Segments:
    """Response times by segment of the run, each as many operations.

    A segment is long enough for its quantile: at least 20 operations for P95. A run of fewer than 100
    operations, too few for 5 such segments, is judged by the medians of segments of at least 2.

    Args:
        operations: How many operations the run has.

    Attributes:
        quantile: The one that the segments are compared by, 0.95 or 0.5.
    """

    def __init__(self, operations: int) -> None:
        self._operations = operations
        enough = operations >= FEWEST_SEGMENTS * samples_needed(0.95)
        self.quantile = 0.95 if enough else 0.5
        count = max(1, min(SEGMENTS, operations // samples_needed(self.quantile)))
        self.histograms = [Histogram() for _ in range(count)]
        self._pending: deque[tuple[int, int]] = deque()

    def miss(self, index: int) -> None:
        """Operation `index` was due and never came: it took longer than all others; from any thread."""
        self._pending.append((index, NEVER))

    def record(self, index: int, response_ns: int) -> None:
        """Operation `index` (0-based, of the counted ones) took so long; from any thread."""
        self._pending.append((index, response_ns))

    def fold(self) -> None:
        """Move what was recorded into the histograms; from one thread."""
        rows = [self._pending.popleft() for _ in range(len(self._pending))]
        if not rows:
            return
        columns = np.array(rows, dtype=np.int64).T
        segments = columns[0] * len(self.histograms) // self._operations
        came = columns[1] != NEVER
        for segment in np.unique(segments):
            histogram, here = self.histograms[segment], segments == segment
            histogram.add(columns[1][here & came])
            histogram.add_beyond(int((here & ~came).sum()))

    def values_ms(self) -> list[float]:
        """The quantile of each segment that has enough operations for it, in order.

        Infinite where it falls among operations that never came.
        """
        enough = samples_needed(self.quantile)
        values = (each.quantile_ms(self.quantile) for each in self.histograms if each.total >= enough)
        return [math.inf if value is None else value for value in values]


def certain_growth(values: Sequence[float]) -> float | None:
    """By how many percent of their median `values` surely grew from first to last.

    The lower 95 % bound of the Theil–Sen slope (Sen 1968), times the length, and not below 0: a spike moves
    it little, and without a trend it is 0 in 19 of 20 cases. The bound is one of the slopes, so that it also
    holds where values are infinite.

    Returns:
        None below 5 values, and where they grew by nobody knows how much: among infinite ones.
    """
    n = len(values)
    if n < FEWEST_SEGMENTS:
        return None
    series = np.asarray(values, dtype=np.float64)
    first, last = np.triu_indices(n, k=1)
    with np.errstate(invalid="ignore"):
        rises = series[last] - series[first]
    rises[np.isnan(rises)] = 0.0  # between two infinite ones nothing is known, and nothing is said
    slopes = np.sort(rises / (last - first))
    # Kendall's S has the variance n(n−1)(2n+5)/18
    reach = _Z_95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lower = slopes[max(0, round((slopes.size - reach) / 2) - 1)]
    median = float(np.median(series))
    if not (0 < median < math.inf) or lower == math.inf:
        return None
    return float(max(0.0, 100 * lower * (n - 1) / median))
