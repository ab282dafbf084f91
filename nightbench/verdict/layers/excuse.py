"""Layer 0, the host as an excuse: what a slower host explains is no regression, and what it does not is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nightbench.verdict.layers.shift import Shift
from nightbench.verdict.layers.trial import Level, Trial
from nightbench.verdict.panel import Bools, Floats


def explained(trial: Trial) -> Floats:
    """By how much tonight's host alone may have made each metric worse, on the log scale; shape (m,).

    A response time at half load rises by the square of what a single operation takes longer (a queue with one server:
    the time in it is 1 / (μ − λ)), so that a host that is 12 % slower explains 25 %: `Policy.host_explains`. Of a
    throughput it explains 12 %, of a success rate or a count nothing: see `nightbench.verdict.slowed`.
    """
    host, group, rules = trial.validity.host, trial.panel.group, trial.rules
    return np.maximum(rules.by_host * host.slowness[group], rules.by_disk * host.disk_slowness[group])


def beyond_host(trial: Trial, tonight: Level) -> Bools:
    """Where tonight is worse by more than its host explains: what is left of it passes what all of it had to; shape (m,).

    Everywhere where it explains nothing.
    """
    beyond = worse_without_host(trial, tonight, tonight.shift)
    return np.asarray(beyond | (explained(trial) == 0))


def worse_without_host(trial: Trial, tonight: Level, moved: Shift) -> Bools:
    """Whether a shift of this night, less what its host explains, passes what tonight's had to pass; shape (m,)."""
    left = replace(moved, difference=moved.difference - trial.rules.sign * explained(trial))
    beyond_doubt = left.p(trial.rules.sign) * tonight.factor <= trial.policy.tonight_level
    return np.asarray(beyond_doubt & (trial.rules.sign * left.difference >= trial.rules.worse))
