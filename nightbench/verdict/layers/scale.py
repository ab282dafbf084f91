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
        never: It has comparable values and none is positive: its relative change means nothing.
    """

    least: Floats
    never: Bools

    def logs(self, values: Floats) -> Floats:
        """Natural logarithms; of what is zero, negative or too small, that of the least. Shape (…, m)."""
        return np.log(np.maximum(values, self.least))


def scale_of(earlier: Floats, comparable: Bools, baseline: Bools, share: float) -> Scale:
    """The scale of each metric: the least is so large a share of the median of its baseline's positive values.

    Where the baseline has none, those of all comparable nights count. No other night does: at a level that is not
    tonight's any more, the least could be more than all that tonight is compared with.

    Args:
        earlier: Values before tonight; shape (n, m).
        comparable: Which of them may be compared with tonight, flagged or not; shape (n, m).
        baseline: Which of these are the baseline; shape (n, m).
        share: For example 0.01.
    """
    positive = comparable & (earlier > 0)
    usual, any_level = _middle_of(earlier, positive & baseline), _middle_of(earlier, positive)
    never = np.asarray(comparable.any(axis=0) & ~positive.any(axis=0))
    return Scale(share * np.where(np.isfinite(usual), usual, any_level), never)


def _middle_of(values: Floats, chosen: Bools) -> Floats:
    return middle(np.where(chosen, values, np.nan), chosen.sum(axis=0))
