"""The blocks of a suite as one night: the median of each metric, and the targets judged on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from types import MappingProxyType

from nightbench.measurement import Measurement, Metric
from nightbench.plan import Suite
from nightbench.target import Target
from nightbench.verdict.targets import TargetResult, judge_targets, leaked

_COUNT = "1"
_MAIN: Mapping[Suite, str] = MappingProxyType(
    {"websocket": "message.response_time.p95", "database": "query.response_time.p95"}
)
"""By which of each suite's metrics the block in the middle is found."""


def trusted(block: Measurement) -> bool:
    """Whether a block is valid and complete."""
    return block.validity.valid and block.validity.complete


def counting(blocks: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The blocks that make the night's value: the valid ones, or all where none is."""
    return tuple(block for block in blocks if trusted(block)) or tuple(blocks)


def shown(blocks: Sequence[Measurement]) -> Measurement:
    """The block that stands for the night where one run has to: a leaking one, else the one in the middle.

    The middle is that of the main P95 among the valid blocks, the lower of two.
    """
    leaking = next((block for block in blocks if leaked(block)), None)
    if leaking is not None:
        return leaking
    candidates = counting(blocks)
    known = [block for block in candidates if _known(_main(block)) is not None]
    ranked = sorted(known, key=lambda block: _main(block) or 0.0)
    return ranked[(len(ranked) - 1) // 2] if ranked else candidates[0]


def night_metrics(blocks: Sequence[Measurement]) -> tuple[Metric, ...]:
    """The median of each metric over the blocks that count and have it, and the samples behind all of them."""
    counted = counting(blocks)
    if len(counted) == 1:
        return counted[0].metrics
    found: dict[str, list[Metric]] = {}
    for block in counted:
        for metric in block.metrics:
            found.setdefault(metric.name, []).append(metric)
    return tuple(_median_of(metrics) for metrics in found.values())


def judge_night(promises: Sequence[Target], blocks: Sequence[Measurement]) -> tuple[TargetResult, ...]:
    """Hold every promise against the night's value: the median over the blocks that count.

    A value that is missing in one of them is missing, and a count, such as leaked rows, has to be right in each.
    """
    counted = counting(blocks)
    if len(counted) == 1:
        return judge_targets(promises, counted[0])
    night = replace(counted[0], metrics=night_metrics(counted))
    by_block = [judge_targets(promises, block) for block in counted]
    return tuple(
        _judged(of_night, [results[place] for results in by_block], night)
        for place, of_night in enumerate(judge_targets(promises, night))
    )


def _judged(of_night: TargetResult, of_blocks: Sequence[TargetResult], night: Measurement) -> TargetResult:
    missing = next((result for result in of_blocks if result.value is None), None)
    if missing is not None:
        return missing
    unit = next((metric.unit for metric in night.metrics if metric.name == of_night.metric), "")
    missed = [result for result in of_blocks if not result.met]
    if unit == _COUNT and missed:
        return max(missed, key=lambda result: abs((result.value or 0.0) - result.limit))
    return of_night


def _median_of(metrics: Sequence[Metric]) -> Metric:
    values = [metric.value for metric in metrics if _known(metric.value) is not None]
    value = median(value for value in values if value is not None) if values else None
    return replace(metrics[0], value=value, n=sum(metric.n for metric in metrics))


def _main(block: Measurement) -> float | None:
    return block.value(_MAIN[block.suite])


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
