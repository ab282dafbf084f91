"""Layer 0, the host: whether it was itself tonight, and in which earlier nights it was the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightbench.verdict.panel import Bools, Floats, Panel
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules


@dataclass(frozen=True)
class OffHost:
    """A calibration of tonight that is not what it was.

    Attributes:
        group: Number of the suite and tier.
        metric: For example ``calibration.cpu_time``.
        effect: Relative change from its median.
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
        same: Nights in which the host was what it is these days; shape (n, g).
    """

    off: tuple[OffHost, ...]
    same: Bools

    def off_groups(self, count: int) -> Bools:
        """Which of `count` suites and tiers ran on a host that was off; shape (g,)."""
        found = np.zeros(count, dtype=bool)
        found[[each.group for each in self.off]] = True
        return found


def host_of(panel: Panel, comparable: Bools, rules: Rules, policy: Policy) -> Host:
    """Judge the host by its calibrations.

    These days are the `host_nights` nights before tonight that have a calibration. A night is off when one of its
    calibrations differs from their median by more than `host_change` and more than `host_spread` robust
    standard deviations, to either side. Tonight is judged so, and so is each earlier night: what was measured
    on a slower or quicker host is no baseline. A new level that stays is thus off while it is the smaller part of
    these days, five nights of ten; then it is the normal one, and the nights before it are off.

    Args:
        panel: Earlier nights and tonight.
        comparable: Nights that are valid and of tonight's fingerprint; shape (n, g).
        rules: Of the panel's metrics.
        policy: How strictly.
    """
    same = np.ones(comparable.shape, dtype=bool)
    off: list[OffHost] = []
    for column in np.flatnonzero(rules.host):
        group = int(panel.group[column])
        usable = comparable[:, group] & (panel.values[:, column] > 0)
        logs = np.log(np.where(usable, panel.values[:, column], np.nan))
        recent = logs[:-1][usable[:-1]][-policy.host_nights :]
        if len(recent) < policy.host_least:
            continue
        away = logs - np.median(recent)
        far = np.abs(away) > _tolerance(recent, policy)  # NaN, a night without this calibration, is not
        same[:, group] &= ~far
        if far[-1]:
            effect = float(np.expm1(away[-1]))
            off.append(OffHost(group, panel.metrics[column], effect, len(recent)))
    return Host(tuple(off), same)


def _tolerance(recent: Floats, policy: Policy) -> float:
    spread = 1.4826 * float(np.median(np.abs(recent - np.median(recent))))
    return max(float(np.log1p(policy.host_change)), policy.host_spread * spread)
