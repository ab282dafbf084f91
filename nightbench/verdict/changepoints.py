"""Layer 4 of the verdict: when did a series change for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ChangePoint:
    """A lasting change of level.

    Attributes:
        index: Of the first value of the new level, in the series as it was given.
        effect: Relative change from the level before to the level after: 0.1 is 10 % more.
        p: Of a t-test between the two levels.
        worse: Whether it went in the bad direction.
    """

    index: int
    effect: float
    p: float
    worse: bool


def change_points(
    values: Sequence[float | None] | npt.NDArray[np.float64], *, higher_is_worse: bool = True
) -> list[ChangePoint]:
    """The lasting changes of a series, oldest first."""
    raise NotImplementedError
