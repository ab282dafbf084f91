"""The policy, spelled out for the metrics of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nightbench.verdict.gating import is_tail, of_host
from nightbench.verdict.panel import Bools, Floats, Ints
from nightbench.verdict.patterns import matches
from nightbench.verdict.policy import Policy
from nightbench.verdict.slowed import power_of_disk, power_of_host

_SHARES = "*success_rate"
"""Nearly always at their best, and so a family of their own: other metrics' noise says nothing of theirs."""


@dataclass(frozen=True)
class Rules:
    """What holds for each metric; each of shape (m,).

    Attributes:
        sign: 1 where higher is worse, −1 where lower is.
        gates: Can be a regression.
        tail: Does not gate when it is too noisy.
        host: Is of the host's calibration.
        floor: Smallest relative change that matters.
        worse, better: The same on the log scale, to either side.
        least_noise: Relative noise below which none is believed.
        family: Metrics of one number steady each other's noise.
        by_host, by_disk: Power of a slower host's and disk's slowness that explains as much of a change for the worse.
    """

    sign: Floats
    gates: Bools
    tail: Bools
    host: Bools
    floor: Floats
    worse: Floats
    better: Floats
    least_noise: Floats
    family: Ints
    by_host: Floats
    by_disk: Floats


def rules_of(metrics: Sequence[str], group: Ints, policy: Policy) -> Rules:
    """The rules for `metrics`, whose suites and tiers are numbered by `group`."""
    sign = np.array([1.0 if policy.worse_when_higher(metric) else -1.0 for metric in metrics])
    floor = np.array([policy.floor_of(metric) for metric in metrics], dtype=float)
    up, down = np.log1p(floor), -np.log1p(-np.minimum(floor, 0.999))
    share = np.array([matches(_SHARES, metric) for metric in metrics], dtype=np.int64)
    return Rules(
        sign=sign,
        gates=np.array([policy.gates_on(metric) for metric in metrics], dtype=bool),
        tail=np.array([is_tail(metric) for metric in metrics], dtype=bool),
        host=np.array([of_host(metric) for metric in metrics], dtype=bool),
        floor=floor,
        worse=np.where(sign > 0, up, down),
        better=np.where(sign > 0, down, up),
        least_noise=np.array([policy.least_noise_of(metric) for metric in metrics], dtype=float),
        family=2 * group + share,
        by_host=np.array([power_of_host(metric, policy.host_explains) for metric in metrics], dtype=float),
        by_disk=np.array([power_of_disk(metric, policy.host_explains) for metric in metrics], dtype=float),
    )
