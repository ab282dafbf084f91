"""Tonight beside earlier nights, first form: the change against their median, for reading, never gating."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from nightbench.measurement import Measurement, Metric
from nightbench.plan import Suite, plan_hash

HEADLINES: Mapping[Suite, tuple[str, ...]] = MappingProxyType(
    {
        "websocket": (
            "connection.time.p95",
            "connection.success_rate",
            "message.response_time.p50",
            "message.response_time.p95",
            "message.response_time.p99",
            "message.success_rate",
            "message.throughput",
        ),
        "database": (
            "query.response_time.p50",
            "query.response_time.p95",
            "query.response_time.p99",
            "query.service_time.p95",
            "query.success_rate",
            "query.throughput",
            "pool.wait.p95",
        ),
    }
)
"""The metrics that a reader compares first, by suite."""


@dataclass(frozen=True)
class Change:
    """One metric tonight and before.

    Attributes:
        metric: Its name.
        unit: Of `tonight` and `baseline_median`.
        tonight: None when missing.
        baseline_median: Median of the earlier runs that have the metric, None when none has.
        change_percent: ``100 × (tonight / median − 1)``; None where a side is missing or the median is 0.
        runs: How many earlier runs are behind the median.
    """

    metric: str
    unit: str
    tonight: float | None
    baseline_median: float | None
    change_percent: float | None
    runs: int


@dataclass(frozen=True)
class Comparison:
    """Tonight against earlier valid runs of the same plan and subject.

    Attributes:
        runs: How many earlier runs could be compared.
        changes: One for each headline metric of the suite; empty without earlier runs.
        left_out: Earlier valid runs of another plan or subject: their numbers mean something else.
    """

    runs: int = 0
    changes: tuple[Change, ...] = ()
    left_out: int = 0


def compare(measurement: Measurement, past: pd.DataFrame) -> Comparison:
    """Compare with the earlier valid runs of the same suite, tier and environment.

    Args:
        measurement: Tonight.
        past: As `HistoryStore.past_metrics` gives it for that suite, tier and environment; tonight's own
            rows may already be in it and are ignored.
    """
    earlier = past[(past["started_at"] < measurement.started_at) & (past["run_id"] != measurement.run_id)]
    same_plan = earlier["plan_hash"] == plan_hash(measurement.plan)
    same = earlier[same_plan & (earlier["subject_key"] == measurement.subject_key)]
    runs = int(same["run_id"].nunique())
    left_out = int(earlier["run_id"].nunique()) - runs
    if runs == 0:
        return Comparison(left_out=left_out)
    tonight = {metric.name: metric for metric in measurement.metrics}
    changes = tuple(_change(tonight[name], same) for name in HEADLINES[measurement.suite] if name in tonight)
    return Comparison(runs=runs, changes=changes, left_out=left_out)


def _change(metric: Metric, earlier: pd.DataFrame) -> Change:
    values = earlier.loc[
        (earlier["name"] == metric.name) & (earlier["unit"] == metric.unit), "value"
    ].dropna()
    median = float(values.median()) if len(values) else None
    known = metric.value is not None and not math.isnan(metric.value)
    value = metric.value if known else None
    percent = 100 * (value / median - 1) if value is not None and median else None
    return Change(
        metric=metric.name,
        unit=metric.unit,
        tonight=value,
        baseline_median=median,
        change_percent=percent,
        runs=len(values),
    )
