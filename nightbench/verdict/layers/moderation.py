"""Noise of a metric, steadied by that of the others: ten nights alone know a variance badly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, polygamma

from nightbench.verdict.panel import Bools, Floats, Ints

_WEIGHTS = np.concatenate([np.linspace(0.05, 2, 40), np.linspace(2.1, 10, 80), np.linspace(11, 100, 90)])
_SPREADS = polygamma(1, _WEIGHTS / 2)
"""Variance of the log of a variance that is known as from so many nights."""


@dataclass(frozen=True)
class Noise:
    """Standard deviation from night to night on the log scale, and how well it is known; each of shape (m,).

    Attributes:
        sigma: Moderated; NaN with fewer than two nights.
        freedom: Degrees of freedom of `sigma`.
    """

    sigma: Floats
    freedom: Floats


def moderated(
    variance: Floats, nights: Ints, family: Ints, teaches: Bools, *, most: float, least: Floats
) -> Noise:
    """``(d0·s0² + (N−1)·s²) / (d0 + N−1)`` for each metric, at least `least`².

    s0² is what the variances of a family have in common, d0 how much they have in common: the variance of
    their logarithms beyond what chance makes of N−1 degrees of freedom tells it. The mean of the two and d0 are those
    of G. Smyth, Linear models and empirical Bayes methods, 2004; s0² is not his, which comes from the mean of these
    logarithms, but comes from their median, that one wild metric does not move. Where metrics differ in noise, d0 is
    small, and each is left to its own nights. It is never more than `most`, nor than there are other metrics to learn
    from.

    Args:
        variance: Of each metric's baseline; shape (m,).
        nights: How many nights are behind it; shape (m,).
        family: Metrics of one number learn from each other; shape (m,).
        teaches: Which of them are learnt from; shape (m,).
        most: The largest d0.
        least: The standard deviation below which none is believed; shape (m,).
    """
    own = np.maximum(nights - 1, 0).astype(float)
    floored = np.maximum(variance, least**2)
    prior, weight = np.zeros(len(variance)), np.zeros(len(variance))
    usable = teaches & (nights > 1)
    for number in np.unique(family):
        members = family == number
        teachers = members & usable
        if teachers.sum() > 1:
            prior[members], weight[members] = _common(floored[teachers], own[teachers], most)
    freedom = own + weight
    pooled = (weight * prior + own * floored) / np.maximum(freedom, 1)
    return Noise(np.where(nights > 1, np.sqrt(np.maximum(pooled, least**2)), np.nan), freedom)


def tails_of(residuals: Floats, known: Bools, family: Ints) -> Floats:
    """Degrees of freedom of a t distribution with as heavy tails as each family's residuals; shape (m,).

    The share of residuals beyond three standard deviations tells it, by simulation of twenty nights of fifteen
    metrics; few residuals are drawn to the share of normal noise. The night with most of them does not count: one that
    disturbed a whole suite tells nothing of the others. Without this a family with heavy tails, of which every tenth
    night is far out in some metric, would raise as many alerts.

    Args:
        residuals: Of the baselines' nights, in standard deviations; shape (n, m).
        known: Which of them count; shape (n, m).
        family: Metrics of one number have one kind of tails; shape (m,).
    """
    freedom = np.full(len(family), np.inf)
    for number in np.unique(family):
        members = family == number
        far = (known[:, members] & (np.abs(residuals[:, members]) > _FAR)).sum(axis=1)
        few = far.sum() - far.max(initial=0)
        share = (few + _PRIOR * _NORMAL_SHARE) / (known[:, members].sum() + _PRIOR)
        freedom[members] = np.interp(share, _SHARES, _FREEDOMS)
    return freedom


_FAR = 3.0
_NORMAL_SHARE = 0.0002
"""Of normal residuals that are far; with the weight of so many:"""
_PRIOR = 60
_SHARES = (0.0008, 0.0026, 0.0054, 0.0094, 0.0120)
_FREEDOMS = (100.0, 8.0, 5.0, 3.5, 3.0)


def _common(variance: Floats, freedom: Floats, most: float) -> tuple[float, float]:
    """s0² and d0 of a family of at least two."""
    logs = np.log(variance) - _middle_log(freedom)
    beyond = float(np.var(logs, ddof=1) - np.mean(polygamma(1, freedom / 2)))
    alike = float(np.interp(beyond, _SPREADS[::-1], _WEIGHTS[::-1])) if beyond > 0 else np.inf
    # how alike they are says where the middle lies, whatever weight it is given
    middle = float(np.median(logs)) + (float(_middle_log(alike)) if np.isfinite(alike) else 0.0)
    # of variances that are all at their floor nothing is chance
    common = np.clip(np.exp(middle), variance.min(), variance.max())
    return float(common), min(alike, most, len(variance) - 1)


def _middle_log(freedom: Floats | float) -> Floats:
    """Median of the log of a variance of 1 that is known from so many degrees of freedom."""
    return np.asarray(np.log(2 * gammaincinv(np.asarray(freedom) / 2, 0.5) / freedom))
