"""A level against a baseline: how far, how sure, and what could have been seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from nightbench.verdict.layers.baseline import Baseline
from nightbench.verdict.layers.moderation import Noise
from nightbench.verdict.panel import Floats

_POWER = 0.8
_OUTSIDE = 0.025
"""Of a 95 % interval, on each side."""
_MOST = 700.0


@dataclass(frozen=True)
class Shift:
    """From the baseline's centre to a level, on the log scale; each of shape (m,).

    Attributes:
        difference: Level less centre; NaN where either is missing.
        error: Standard error of `difference`.
        freedom: Degrees of freedom behind `error`.
    """

    difference: Floats
    error: Floats
    freedom: Floats

    @property
    def effect(self) -> Floats:
        """Relative change."""
        return relative(self.difference)

    @property
    def interval(self) -> tuple[Floats, Floats]:
        """Ends of the 95 % interval of `effect`."""
        reach = -stdtrit(self._degrees, _OUTSIDE) * self.error
        return relative(self.difference - reach), relative(self.difference + reach)

    def p(self, sign: Floats) -> Floats:
        """One-sided p of the level being off to the side of `sign` (1 or −1); NaN where it is not known."""
        return np.asarray(stdtr(self._degrees, -sign * self.difference / self.error))

    def detectable(self, p: float, reach: Floats) -> Floats:
        """The smallest difference that has a p of at most `p` and is past `reach` with a chance of 80 %.

        The chance is that of a normal error, a little less than the truth of a t test.
        """
        needed = np.maximum(-stdtrit(self._degrees, p) * self.error, reach)
        return np.asarray(needed + ndtri(_POWER) * self.error)

    @property
    def _degrees(self) -> Floats:
        return np.maximum(self.freedom, 1.0)


def relative(difference: Floats) -> Floats:
    """The relative change that a difference of logarithms is; what no float can say is the most that it can."""
    return np.asarray(np.expm1(np.minimum(difference, _MOST)))


def shift(level: Floats, baseline: Baseline, noise: Noise, variance: Floats) -> Shift:
    """How far `level` is from the baseline: standard error ``sigma·√(variance + 1/N)``.

    Args:
        level: On the log scale; shape (m,).
        baseline: What it is compared with.
        noise: From night to night.
        variance: Of the level, in that of one baseline night: 1 for one night like them; shape (m,).
    """
    count = np.maximum(baseline.nights, 1)
    return Shift(
        difference=level - baseline.centre,
        error=noise.sigma * np.sqrt(variance + 1 / count),
        freedom=noise.freedom,
    )
