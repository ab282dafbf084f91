"""Lasting changes before the nights that a verdict looks at: for trends, which are longer than what is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nightbench.report.charts.metric_nights import LevelChange, MetricNights
from nightbench.verdict.judgement import Change
from nightbench.verdict.layers.lasting import grouped
from nightbench.verdict.policy import Policy
from nightbench.verdict.series.changepoints import ChangePoint, change_points

_COMPARED = ("night", "regression", "flagged", "tonight")
"""Nights of one level, or of several without a reason: same plan, host, subject and epoch."""


def older_changes(histories: Sequence[MetricNights], policy: Policy) -> tuple[Change, ...]:
    """The changes of some metrics of one suite that are older than the last `Policy.change_nights`, oldest first.

    The whole series of each is searched as layer 4 searches its end. Their groups are numbered from −1 downwards, the
    latest of them first, so that they are none of the verdict's.

    Args:
        histories: All of the same nights.
        policy: How strictly.
    """
    found = {column: _of_metric(history, policy) for column, history in enumerate(histories)}
    rows = {each.night: row for row, each in enumerate(histories[0].nights)} if histories else {}
    changes = [each for of_metric in _numbered(found, rows, policy).values() for each in of_metric]
    return tuple(sorted(changes, key=lambda each: (-each.age, each.metric)))


def with_changes(history: MetricNights, older: Sequence[Change]) -> MetricNights:
    """The nights of a metric with those of the `older` changes that are its own."""
    own = (LevelChange(each.night, each.point.effect) for each in older if each.metric == history.metric)
    return replace(history, changes=(*own, *history.changes))


def _of_metric(history: MetricNights, policy: Policy) -> list[Change]:
    compared = [
        row for row, each in enumerate(history.nights) if each.state in _COMPARED and each.value is not None
    ]
    if len(compared) <= policy.change_nights:
        return []
    points = change_points(
        [history.nights[row].value for row in compared],
        higher_is_worse=policy.worse_when_higher(history.metric),
        largest_p=policy.change_p,
        magnitude=policy.change_magnitude,
        segment=policy.change_segment,
    )
    older = (point for point in points if point.index < len(compared) - policy.change_nights)
    return [_change(history, compared[point.index], point) for point in older]


def _change(history: MetricNights, row: int, point: ChangePoint) -> Change:
    return Change(
        suite=history.suite,
        tier=history.tier,
        metric=history.metric,
        night=history.nights[row].night,
        age=len(history.nights) - 1 - row,
        point=point,
        group=0,
    )


def _numbered(
    changes: Mapping[int, list[Change]], rows: Mapping[str, int], policy: Policy
) -> dict[int, list[Change]]:
    numbered = grouped(dict(changes), rows, policy.change_together)
    most = max((each.group for found in numbered.values() for each in found), default=0)
    return {
        column: [replace(each, group=each.group - most - 1) for each in found]
        for column, found in numbered.items()
    }
