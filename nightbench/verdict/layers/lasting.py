"""Layer 4 of the verdict: change points over the epoch, grouped, and which of them has to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from nightbench.verdict.judgement import Change
from nightbench.verdict.layers.trial import Trial
from nightbench.verdict.panel import Bools, Floats, Ints
from nightbench.verdict.series.changepoints import change_points

Changes = dict[int, list[Change]]
"""The change points of each metric, by its number, oldest first."""


def changes_of(trial: Trial, columns: Ints) -> Changes:
    """The change points of `columns` over the epoch's last nights, those of one time with one number.

    Flagged nights are part of a series, for they are what changed; invalid ones and those of a host that was
    off are not.
    """
    found = {int(column): _of_metric(trial, int(column)) for column in columns}
    return grouped(found, _rows(trial), trial.policy.change_together)


def _of_metric(trial: Trial, column: int) -> list[Change]:
    panel, policy = trial.panel, trial.policy
    nights = np.flatnonzero(trial.validity.measured[:, column])[-policy.change_nights :]
    suite, tier = panel.groups[panel.group[column]]
    ran = panel.measured[:, panel.group[column]]
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
            age=int(ran[nights[point.index] + 1 :].sum()),
            point=point,
            group=0,
        )
        for point in points
    ]


def _rows(trial: Trial) -> dict[str, int]:
    """The row of each night, by its name."""
    return {str(night): row for row, night in enumerate(trial.panel.nights)}


def grouped(changes: Changes, rows: Mapping[str, int], together: int) -> Changes:
    """The same with numbers: a group begins with its oldest change and lasts `together` nights."""
    number: dict[int, int] = {}
    first, group = -np.inf, -1
    for row in sorted({rows[change.night] for found in changes.values() for change in found}):
        if row - first > together:
            first, group = row, group + 1
        number[row] = group
    return {
        column: [replace(change, group=number[rows[change.night]]) for change in found]
        for column, found in changes.items()
    }


@dataclass(frozen=True)
class Untold:
    """What layer 4 has to tell; each of shape (m,).

    Attributes:
        found: Of these metrics.
        p: One-sided, of the nights since the change against those before it; NaN where it was not asked.
        p_adjusted: The same over all metrics that gate, after Bonferroni.
    """

    found: Bools
    p: Floats
    p_adjusted: Floats


def untold(trial: Trial, changes: Changes, compared: Bools) -> Untold:
    """The metrics whose last change is for the worse, young, sure, and was never told.

    Sure is more than a change point is by itself, for there is one search a metric and night: the mean of the
    nights since it against the nights before it, at `change_alpha` over all metrics that gate. There have to be
    `least_nights` before it: a change in the nights that are only provisional would be part of the baseline
    without a word. A tail that is too noisy tonight for what the change itself does to its baseline is no
    excuse: how noisy it was before counts. Tonight has to lie nearer to the new level than to the old one: what is
    over is no regression of tonight.

    Args:
        trial: What a level is held against.
        changes: The change points of the metrics that gate.
        compared: The metrics that gate and have enough nights and a value tonight; shape (m,).
    """
    panel, policy = trial.panel, trial.policy
    rows = _rows(trial)
    since = np.zeros(panel.values.shape, dtype=bool)
    for column, found in changes.items():
        if found and found[-1].point.worse and found[-1].age <= policy.change_age and compared[column]:
            begun = rows[found[-2].night] if len(found) > 1 else 0
            if not _told(trial, column, begun, rows[found[-1].night]):
                since[rows[found[-1].night] :, column] = True
    candidates = np.asarray(since.any(axis=0))
    if not candidates.any():
        return Untold(candidates, *(np.full(len(candidates), np.nan) for _ in range(2)))
    nights = since & trial.validity.measured
    count = np.maximum(nights.sum(axis=0), 1)
    level = np.where(candidates, np.where(nights, trial.logs, 0.0).sum(axis=0) / count, np.nan)
    before = trial.validity.eligible & ~since
    shown = trial.level(level, trial.block_variance(nights), before, alpha=1.0, share=1 / count)
    enough = ~shown.too_noisy & (shown.baseline.nights >= policy.least_nights)
    p = np.where(candidates, shown.p_worse, np.nan)
    adjusted = np.minimum(p * int(compared.sum()), 1.0)
    sure = adjusted <= policy.change_level
    moved = trial.rules.sign * shown.shift.difference
    lasts = trial.rules.sign * (trial.logs[-1] - shown.baseline.centre) >= moved / 2
    return Untold(enough & sure & lasts & (moved >= trial.rules.worse), p, adjusted)


def _told(trial: Trial, column: int, begun: int, since: int) -> bool:
    """Whether the change from the level since row `begun` to that since row `since` was told.

    That is so when the metric was told in a night since. A change point may stand some nights late: a night up
    to `change_together` nights before it counts too, when its value is already nearer to the new level.
    """
    told = trial.panel.told[:, column]
    if told[since:].any():
        return True
    measured = trial.validity.measured[:, column]
    logs = trial.logs[:, column]
    old, new = (np.median(logs[part][measured[part]]) for part in (slice(begun, since), slice(since, None)))
    late = np.flatnonzero(told[:since] & measured[:since])
    late = late[late >= since - trial.policy.change_together]
    return bool((trial.rules.sign[column] * (logs[late] - (old + new) / 2) > 0).any())
