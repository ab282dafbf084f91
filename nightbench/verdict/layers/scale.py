"""Values on the log scale, where a change is relative and noise is alike at every level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightbench.verdict.layers.baseline import middle
from nightbench.verdict.panel import Bools, Floats


@dataclass(frozen=True)
class Scale:
    """What counts as the least of each metric, for a logarithm needs some; each of shape (m,).

    Attributes:
        least: In the metric's unit; NaN where it was never positive.
        never: It has values and none is positive: its relative change means nothing.
    """

    least: Floats
    never: Bools

    def logs(self, values: Floats) -> Floats:
        """Natural logarithms; of what is zero, negative or too small, that of the least. Shape (…, m)."""
        return np.log(np.maximum(values, self.least))


def scale_of(earlier: Floats, share: float) -> Scale:
    """The scale of each metric: the least is so large a share of the median of its positive values.

    Args:
        earlier: Values before tonight, NaN where missing; shape (n, m).
        share: For example 0.01.
    """
    positive = earlier > 0
    count = positive.sum(axis=0)
    least = share * middle(np.where(positive, earlier, np.nan), count)
    return Scale(least, np.isfinite(earlier).any(axis=0) & (count == 0))
