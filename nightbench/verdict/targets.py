"""Layer 1 of the verdict: absolute promises, each met or missed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nightbench.measurement import Measurement
from nightbench.target import Target

_HOLDS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
    }
)

LEAKED_ROWS = "query.leaked_rows"
"""Rows of other tenants that were read; a single one fails the run."""


@dataclass(frozen=True)
class TargetResult:
    """One promise and what came of it.

    Attributes:
        metric: For example ``message.response_time.p95``.
        op: One of ``< <= > >= ==``.
        limit: In the metric's unit.
        value: What was measured; None when it is missing, which never meets a target.
        met: Whether ``value op limit`` holds.
    """

    metric: str
    op: str
    limit: float
    value: float | None
    met: bool


def judge_targets(promises: Sequence[Target], measurement: Measurement) -> tuple[TargetResult, ...]:
    """Hold every promise against the measurement; a missing, unknown or NaN value has missed."""
    return tuple(_judge(target, measurement.value(target.metric)) for target in promises)


def leaked(measurement: Measurement) -> bool:
    """Whether a row of another tenant was read, whatever the targets say."""
    rows = measurement.value(LEAKED_ROWS)
    return rows is not None and rows > 0


def _judge(target: Target, value: float | None) -> TargetResult:
    known = None if value is None or math.isnan(value) else value
    met = known is not None and _HOLDS[target.op](known, target.limit)
    return TargetResult(metric=target.metric, op=target.op, limit=target.limit, value=known, met=met)
