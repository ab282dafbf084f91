"""Layers 2 and 3 of the verdict: tonight, and the last three nights, against the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightbench.verdict.layers.baseline import last, middle
from nightbench.verdict.layers.excuse import worse_without_host
from nightbench.verdict.layers.scale import Scale, scale_of
from nightbench.verdict.layers.shift import shift
from nightbench.verdict.layers.trial import Level, Trial, beside
from nightbench.verdict.layers.validity import Validity
from nightbench.verdict.panel import Bools, Panel, Reruns, median_variance
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules


@dataclass(frozen=True)
class Layers:
    """What layers 2 and 3 find; masks of shape (m,).

    Attributes:
        trial: What holds a level against a baseline.
        zero: Metrics that were positive in no comparable night before tonight, and so are not compared.
        tonight: Tonight against the baseline.
        sustained: The median of the last nights against the baseline before them.
        lasting: What is worse in that way.
        repeated: Whether the suspects' repetitions are worse as well; None where none were made.
    """

    trial: Trial
    zero: Bools
    tonight: Level
    sustained: Level
    lasting: Bools
    repeated: Bools | None


def layers_of(
    panel: Panel, rules: Rules, validity: Validity, policy: Policy, reruns: Reruns | None = None
) -> Layers:
    """Layers 2 and 3."""
    scale = _scale(panel, validity, policy)
    logs = scale.logs(panel.values)
    trial = Trial(logs, panel, rules, validity, policy)
    tonight = trial.level(
        logs[-1], median_variance(panel.blocks[-1]), validity.eligible, alpha=policy.tonight_level
    )
    sustained = _sustained(trial)
    return Layers(
        trial=trial,
        zero=scale.never,
        tonight=tonight,
        sustained=sustained,
        # two bad nights that are over are no regression of tonight
        lasting=sustained.is_worse & (rules.sign * tonight.shift.difference >= rules.worse / 2),
        repeated=None if reruns is None else _repeated(trial, tonight, reruns, scale),
    )


def _scale(panel: Panel, validity: Validity, policy: Policy) -> Scale:
    comparable = validity.measured | validity.eligible  # what is pinned may be of another host
    baseline = validity.baseline(validity.eligible, policy.baseline_nights)
    return scale_of(panel.values[:-1], comparable[:-1], baseline[:-1], policy.least_share)


def _sustained(trial: Trial) -> Level:
    """The median of tonight and the nights before it against the baseline before them."""
    most = trial.policy.sustained_nights
    latest = last(trial.validity.measured, most)
    full = latest.sum(axis=0) == most
    full &= latest[-1]
    used = latest.any(axis=1)
    nights = np.where(latest, trial.logs, np.nan)[used]
    level = np.where(full, middle(nights, latest.sum(axis=0)), np.nan)
    before = np.cumsum(latest, axis=0) == 0
    return trial.level(
        level,
        trial.block_variance(latest),
        trial.validity.eligible & before,
        alpha=trial.policy.sustained_level,
        share=float(median_variance(most)),
    )


def _repeated(trial: Trial, tonight: Level, reruns: Reruns, scale: Scale) -> Bools:
    """Whether the median of the repetitions passes what tonight's value had to pass, less what a slower host explains."""
    variance = beside(median_variance(reruns.blocks), tonight.baseline.block_variance)
    again = shift(scale.logs(reruns.values), tonight.baseline, tonight.noise, variance)
    return worse_without_host(trial, tonight, again)
