"""Any two sets of runs beside each other: how far each metric is apart, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from nightbench.verdict.layers.holm import holm
from nightbench.verdict.layers.moderation import moderated
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import rules_of
from nightbench.verdict.sets.known_noise import Floats, Key, Known, Nights, NoiseOf, known_noise, usual_blocks

Standing = Literal["worse", "better", "small", "same", "unknown"]

ALPHA = 0.05
LEAST_FREEDOM = 4
"""With fewer degrees of freedom of its own, a comparison borrows the noise that is known from elsewhere."""


@dataclass(frozen=True)
class SetEffect:
    """One metric of two sets of runs.

    Attributes:
        suite, tier, metric, unit: What it is about.
        before, after: Geometric means of the nights of each set, in `unit`, of values that are not positive the
            median; None where a set has none.
        nights: How many nights are behind each.
        effect: Relative change of the mean on the log scale, as it moved; None where a value is missing or
            has no logarithm.
        low, high: 95 % interval of `effect`; None where the noise is not known.
        p: Two-sided.
        p_adjusted: After Holm over the gating metrics that have a p; None for others.
        noise: Relative standard deviation from night to night that the interval rests on, of nights with as many
            runs as those of the two sets have in the median.
        noise_of: Where that is known from.
        higher_is_worse: Which way is bad.
        gates: Whether the metric can be a regression of a night.
        standing: ``worse`` or ``better`` beyond doubt and floor, ``small``: beyond doubt, but less than what
            matters, ``same``: no difference shown, ``unknown``: no interval.
    """

    suite: str
    tier: str
    metric: str
    unit: str
    before: float | None
    after: float | None
    nights: tuple[int, int]
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    noise: float | None
    noise_of: NoiseOf
    higher_is_worse: bool
    gates: bool
    standing: Standing


def set_effects(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    earlier: pd.DataFrame | None = None,
    calibrated: pd.DataFrame | None = None,
    policy: Policy | None = None,
) -> tuple[SetEffect, ...]:
    """Compare two sets metric by metric, on the log scale, by a t-test with moderated variance.

    What counts is the night: the median of its runs. The standard error of a difference is
    ``sigma·√(v1/n1 + v2/n2)``, with `v` the variance of the median of as many runs as a night of that set has
    (see `nightbench.verdict.panel.median_variance`). The variance of both sets is one but for that, moderated across the
    metrics of a suite and tier (see `nightbench.verdict.layers.moderation.moderated`). A set of one night has no
    spread of its own: the other set's is taken, and where that has fewer than four degrees of freedom,
    what is known from elsewhere besides. That is the mean square successive difference of up to 20 `earlier`
    nights (von Neumann 1941; a change of level hardly counts, and it is worth two thirds of the degrees of
    freedom), or a calibration, or else the runs within the nights, which differ less than nights do.

    Args:
        before: Tidy: ``night, suite, tier, metric, value, valid`` and, if known, ``unit``. Every row counts,
            whatever `valid` says: the caller has chosen.
        after: The same.
        earlier: The same of nights in neither set; of these only valid rows count.
        calibrated: ``suite, tier, metric, runs, mean, between_sd`` of `HistoryStore.noise`, in the metric's unit.
        policy: Of directions, floors and moderation; the design's when left out.

    Returns:
        One effect for each metric that either set has, in the order of `after`.
    """
    policy = policy or Policy()
    one, other = Nights(before), Nights(after)
    blocks = usual_blocks((one, other))
    known = known_noise((one, other), blocks, earlier, calibrated) if one.single or other.single else {}
    compared = [
        _Compared(key, (one, other), blocks, known) for key in dict.fromkeys([*other.keys, *one.keys])
    ]
    if not compared:
        return ()
    noise = _noise(compared, policy)
    tested = [each.test(*row) for each, row in zip(compared, noise, strict=True)]
    adjusted = _adjusted(compared, tested, policy)
    return tuple(
        _effect(each, test, p, policy) for each, test, p in zip(compared, tested, adjusted, strict=True)
    )


class _Compared:
    """One metric: its nights on both sides, and its noise before moderation, for a night of so many blocks."""

    def __init__(self, key: Key, sides: tuple[Nights, Nights], blocks: int, known: Known) -> None:
        one, other = sides
        self.key = key
        self.unit = other.units.get(key, one.units.get(key, ""))
        self.nights = one.of_metric.get(key, np.empty(0)), other.of_metric.get(key, np.empty(0))
        self.before, self.after = before, after = one.logs(key), other.logs(key)
        sizes = before.size, after.size
        self.freedom = float(max(sum(sizes) - sum(size > 0 for size in sizes), 0))
        self.shares = one.variance(key, blocks), other.variance(key, blocks)
        squares = sum(
            float(((side - side.mean()) ** 2).sum()) / share
            for side, share in zip((before, after), self.shares, strict=True)
            if side.size
        )
        self.variance = squares / self.freedom if self.freedom else 0.0
        self.noise_of: NoiseOf = "sets" if min(sizes) > 1 else "one set" if max(sizes) > 1 else "nothing"
        if min(sizes) == 1 and self.freedom < LEAST_FREEDOM and key in known:
            variance, freedom, self.noise_of = known[key]
            whole = self.freedom + freedom
            self.variance = (self.variance * self.freedom + variance * freedom) / whole
            self.freedom = whole

    @property
    def comparable(self) -> bool:
        return bool(self.before.size and self.after.size)

    def test(self, sigma: float, freedom: float) -> _Test | None:
        """The two-sided t-test; None without a difference."""
        if not self.comparable:
            return None
        difference = float(self.after.mean() - self.before.mean())
        if not self.freedom:
            return _Test(difference, None, None, None)
        error = sigma * math.sqrt(
            self.shares[0] / self.before.size + self.shares[1] / self.after.size,
        )
        reach = float(stdtrit(freedom, 0.975)) * error
        p = float(2 * stdtr(freedom, -abs(difference) / error))
        return _Test(difference, reach, p, sigma)


@dataclass(frozen=True)
class _Test:
    difference: float
    reach: float | None
    p: float | None
    sigma: float | None


def _noise(compared: Sequence[_Compared], policy: Policy) -> list[tuple[float, float]]:
    """Moderated standard deviation and degrees of freedom of each."""
    groups = list(dict.fromkeys(each.key[:2] for each in compared))
    group = np.array([groups.index(each.key[:2]) for each in compared], dtype=np.int64)
    rules = rules_of([each.key[2] for each in compared], group, policy)
    noise = moderated(
        np.array([each.variance for each in compared]),
        np.array([each.freedom + 1 for each in compared]),
        rules.family,
        rules.gates & np.array([each.comparable for each in compared], dtype=bool),
        most=policy.prior_weight,
        least=rules.least_noise,
    )
    return list(zip(noise.sigma.tolist(), noise.freedom.tolist(), strict=True))


def _adjusted(
    compared: Sequence[_Compared], tested: Sequence[_Test | None], policy: Policy
) -> list[float | None]:
    p = {
        place: test.p
        for place, (each, test) in enumerate(zip(compared, tested, strict=True))
        if test is not None and test.p is not None and policy.gates_on(each.key[2])
    }
    adjusted = dict(zip(p, holm(np.array(list(p.values())))[0].tolist(), strict=True)) if p else {}
    return [adjusted.get(place) for place in range(len(compared))]


def _effect(each: _Compared, test: _Test | None, p_adjusted: float | None, policy: Policy) -> SetEffect:
    suite, tier, metric = each.key
    before, after = (_centre(values) for values in each.nights)
    low, high = _interval(test)
    effect = None if test is None else math.expm1(test.difference)
    if test is None and before is not None and before == after:
        effect = 0.0  # of zeros on both sides, say
    p = None if test is None else test.p
    higher_is_worse = policy.worse_when_higher(metric)
    return SetEffect(
        suite=suite,
        tier=tier,
        metric=metric,
        unit=each.unit,
        before=before,
        after=after,
        nights=(each.nights[0].size, each.nights[1].size),
        effect=effect,
        low=low,
        high=high,
        p=p,
        p_adjusted=p_adjusted,
        noise=None if test is None or test.sigma is None else math.expm1(test.sigma),
        noise_of=each.noise_of,
        higher_is_worse=higher_is_worse,
        gates=policy.gates_on(metric),
        standing=_standing(
            effect, p if p_adjusted is None else p_adjusted, policy.floor_of(metric), higher_is_worse
        ),
    )


def _centre(values: Floats) -> float | None:
    """The geometric mean, which the effect is of; the median of what has no logarithm."""
    if not values.size:
        return None
    return float(np.exp(np.log(values).mean()) if (values > 0).all() else np.median(values))


def _interval(test: _Test | None) -> tuple[float | None, float | None]:
    if test is None or test.reach is None:
        return None, None
    return math.expm1(test.difference - test.reach), math.expm1(test.difference + test.reach)


def _standing(effect: float | None, p: float | None, floor: float, higher_is_worse: bool) -> Standing:
    if effect is None or p is None:
        return "unknown"
    if p > ALPHA:
        return "same"
    if abs(effect) < floor:
        return "small"
    return "worse" if (effect > 0) == higher_is_worse else "better"
