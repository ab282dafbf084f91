"""Layer 0, the host: whether it was itself tonight, and in which earlier nights it was the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from nightbench.verdict.gating import FSYNC
from nightbench.verdict.layers.baseline import TO_SIGMA
from nightbench.verdict.panel import Bools, Floats, Panel
from nightbench.verdict.patterns import first_match
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules

_OF_DISK = "database"
"""The suite that waits for the disk."""

_FREEDOM = 5.0
"""Most degrees of freedom: calibrations have heavier tails than normal noise."""

_REACH = 3.0
"""Robust standard deviations from the median that a night counts at most, in the spread."""

_NEARLY_ALL = 0.8
"""Of the nights of a new level; a night or two of the one before end it not."""


@dataclass(frozen=True)
class OffHost:
    """A calibration of tonight that is not what it was.

    Attributes:
        group: Number of the suite and tier.
        metric: For example ``calibration.cpu_time``.
        effect: Relative change from its median; above 0 the host is slower.
        nights: How many nights are behind the median.
    """

    group: int
    metric: str
    effect: float
    nights: int


@dataclass(frozen=True)
class Host:
    """What the calibrations say.

    Attributes:
        off: What was off tonight, empty when nothing was.
        same: Nights in which the host was what it is these days; tonight's also when it was faster; shape (n, g).
    """

    off: tuple[OffHost, ...]
    same: Bools

    @property
    def off_groups(self) -> Bools:
        """Which suites and tiers ran on a host that was off; shape (g,)."""
        found = np.zeros(self.same.shape[1], dtype=bool)
        found[[each.group for each in self.off]] = True
        return found

    @property
    def slowness(self) -> Floats:
        """By how much CPU or loopback was slower, on the log scale: the one that was it most; shape (g,)."""
        return self._most(each for each in self.off if each.metric != FSYNC)

    @property
    def disk_slowness(self) -> Floats:
        """By how much the disk was slower, on the log scale; shape (g,)."""
        return self._most(each for each in self.off if each.metric == FSYNC)

    def _most(self, off: Iterable[OffHost]) -> Floats:
        found = np.zeros(self.same.shape[1])
        for each in off:
            found[each.group] = max(found[each.group], math.log1p(each.effect))
        return found


@dataclass(frozen=True)
class _Usual:
    """What a calibration is these days, on the log scale."""

    median: float
    tolerance: float
    nights: int

    def far(self, logs: Floats) -> Floats:
        """1 where it is too high, −1 where it is too low, else 0, for NaN too."""
        away = logs - self.median
        return np.where(np.abs(away) > self.tolerance, np.sign(away), 0.0)


def host_of(panel: Panel, comparable: Bools, rules: Rules, policy: Policy) -> Host:
    """Judge the host by its calibrations; the disk's counts for the database alone.

    These days are the `host_nights` nights before tonight that have a calibration. One is off when it differs from
    their median by more than `host_change`, and by more than is left to chance (`_usual`), to either side: tonight,
    and each earlier night, for what was measured on a slower or quicker host is no baseline. A new level that
    stays is off for `host_least` nights; these are then these days, and the nights before it are off.

    Args:
        panel: Earlier nights and tonight.
        comparable: Nights that are valid and of tonight's fingerprint; shape (n, g).
        rules: Of the panel's metrics.
        policy: How strictly.
    """
    same = np.ones(comparable.shape, dtype=bool)
    off: list[OffHost] = []
    for column in np.flatnonzero(rules.host):
        group, metric = int(panel.group[column]), panel.metrics[column]
        if metric == FSYNC and panel.groups[group][0] != _OF_DISK:
            continue
        usable = comparable[:, group] & (panel.values[:, column] > 0)
        logs = np.log(np.where(usable, panel.values[:, column], np.nan))
        recent = logs[:-1][usable[:-1]][-policy.host_nights :]
        if len(recent) < policy.host_least:
            continue
        usual = _these_days(recent, metric, policy)
        far = usual.far(logs)
        same[:-1, group] &= far[:-1] == 0
        same[-1, group] &= far[-1] <= 0
        if far[-1]:
            off.append(OffHost(group, metric, float(np.expm1(logs[-1] - usual.median)), usual.nights))
    return Host(tuple(off), same)


def _these_days(recent: Floats, metric: str, policy: Policy) -> _Usual:
    """The level since the last time that it changed and stayed: `host_least` nights since then, and nearly all, are off."""
    least = policy.host_least
    for cut in range(least, len(recent) - least + 1):
        far = _usual(recent[:cut], metric, policy).far(recent[cut:])
        to_that_side = int((far == far[0]).sum()) if far[0] else 0
        if to_that_side >= max(least, _NEARLY_ALL * len(far)):
            return _these_days(recent[cut:], metric, policy)
    return _usual(recent, metric, policy)


def _usual(recent: Floats, metric: str, policy: Policy) -> _Usual:
    """Median, and how far from it is left to chance.

    That is a quantile of Student's t at `host_chance` times the standard deviation of one night less a median. Few
    nights know their spread badly, and calibrations have heavy tails: degrees of freedom are half the nights, at most
    5. By simulation a night is then slower without cause in 0.01 to 0.1 % under normal noise, in 0.2 to 0.4 % under
    Student's t with 3 degrees of freedom, from 5 nights to 20 (``make bench ONLY=host``).
    """
    count, median = len(recent), float(np.median(recent))
    reach = _REACH * max(TO_SIGMA * float(np.median(np.abs(recent - median))), policy.least_noise)
    spread = float(np.clip(recent, median - reach, median + reach).std(ddof=1))
    quantile = -float(stdtrit(min(count / 2, _FREEDOM), policy.host_chance))
    by_chance = quantile * spread * math.sqrt(1 + math.pi / (2 * count))
    unit = math.exp(min(max(median, -700.0), 700.0))
    least = max(policy.host_change, first_match(policy.host_changes, metric, 0.0) / unit)
    return _Usual(median, max(math.log1p(least), by_chance), count)
