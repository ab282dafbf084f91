"""Layer 4 of the verdict: change points over the epoch, grouped, and which of them has to be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nightbench.verdict.judgement import Change
from nightbench.verdict.layers.trial import Trial
from nightbench.verdict.panel import Bools, Ints
from nightbench.verdict.series.changepoints import change_points

Changes = dict[int, list[Change]]
"""The change points of each metric, by its number, oldest first."""


def changes_of(trial: Trial, columns: Ints) -> Changes:
    """The change points of `columns` over the epoch's last nights, those of one time with one number.

    Flagged nights are part of a series, for they are what changed; invalid ones and those of a host that was
    off are not.
    """
    return _grouped(
        {int(column): _of_metric(trial, int(column)) for column in columns},
        trial.policy.change_together,
    )


def _of_metric(trial: Trial, column: int) -> list[Change]:
    panel, policy = trial.panel, trial.policy
    nights = np.flatnonzero(trial.validity.measured[:, column])[-policy.change_nights :]
    suite, tier = panel.groups[panel.group[column]]
    points = change_points(
        panel.values[nights, column],
        higher_is_worse=bool(trial.rules.sign[column] > 0),
        largest_p=policy.change_p,
        magnitude=policy.change_magnitude,
        segment=policy.change_segment,
    )
    return [
        Change(
            suite=suite,
            tier=tier,
            metric=panel.metrics[column],
            night=str(panel.nights[nights[point.index]]),
            age=len(panel.nights) - 1 - int(nights[point.index]),
            point=point,
            group=0,
        )
        for point in points
    ]


def _grouped(changes: Changes, together: int) -> Changes:
    """The same with numbers: a group begins with its oldest change and lasts `together` nights."""
    ages = sorted({change.age for found in changes.values() for change in found}, reverse=True)
    number: dict[int, int] = {}
    first, group = np.inf, -1
    for age in ages:
        if first - age > together:
            first, group = age, group + 1
        number[age] = group
    return {
        column: [replace(change, group=number[change.age]) for change in found]
        for column, found in changes.items()
    }


def untold(trial: Trial, changes: Changes, tested: Bools) -> Bools:
    """The metrics whose last change is for the worse, young, sure, and was never told; shape (m,).

    Sure is more than a change point is by itself, for there is one search a metric and night: the mean of the
    nights since it against the nights before it, at `change_alpha` over all metrics that gate.
    """
    panel, policy = trial.panel, trial.policy
    size = len(panel.metrics)
    since = np.zeros(panel.values.shape, dtype=bool)
    for column, found in changes.items():
        if found and found[-1].point.worse and found[-1].age <= policy.change_age and tested[column]:
            since[len(panel.nights) - 1 - found[-1].age :, column] = True
    told = (panel.told & since).any(axis=0)
    candidates = since.any(axis=0) & ~told
    if not candidates.any():
        return np.zeros(size, dtype=bool)
    nights = since & trial.validity.measured
    count = np.maximum(nights.sum(axis=0), 1)
    level = np.where(candidates, np.where(nights, trial.logs, 0.0).sum(axis=0) / count, np.nan)
    before = trial.validity.eligible & ~since
    shown = trial.level(level, trial.block_variance(nights), before, alpha=1.0, share=1 / count)
    sure = shown.p_worse * max(int(tested.sum()), 1) <= policy.change_alpha / policy.judgements
    far = trial.rules.sign * shown.shift.difference >= trial.rules.worse
    return candidates & shown.tested & sure & far
