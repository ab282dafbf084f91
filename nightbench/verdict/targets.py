"""Layer 1 of the verdict: absolute promises, each met or missed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nightbench.measurement import Measurement
from nightbench.target import Inclusive, Target, bounds_of, plain

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
        op: One of ``< <= > >= ==``, or ``between``.
        limit: In the metric's unit; the lower bound of a range.
        value: What was measured; None when it is missing, which never meets a target.
        met: Whether ``value op limit`` holds, or the value is in the range.
        upper: The upper bound of a range, else None.
        inclusive: Which bounds of a range meet it, else None.
    """

    metric: str
    op: str
    limit: float
    value: float | None
    met: bool
    upper: float | None = None
    inclusive: Inclusive | None = None

    def limits(self) -> tuple[tuple[str, float], ...]:
        """What the value has to be, each bound with its operator: ``(("<", 2000.0),)``."""
        return _limits(self)

    def __str__(self) -> str:
        return f"{self.metric} {' and '.join(f'{op} {plain(limit)}' for op, limit in self.limits())}"


def judge_targets(promises: Sequence[Target], measurement: Measurement) -> tuple[TargetResult, ...]:
    """Hold every promise against the measurement; a missing, unknown or NaN value has missed."""
    return tuple(_judge(target, measurement.value(target.metric)) for target in promises)


def leaked(measurement: Measurement) -> bool:
    """Whether a row of another tenant was read, whatever the targets say."""
    rows = measurement.value(LEAKED_ROWS)
    return rows is not None and rows > 0


def keeps(value: float, limits: Iterable[tuple[str, float]]) -> bool:
    """Whether a value is within each bound, given with its operator: ``(("<", 2000.0),)``."""
    return all(_HOLDS[op](value, limit) for op, limit in limits)


def _judge(target: Target, value: float | None) -> TargetResult:
    known = None if value is None or math.isnan(value) else value
    met = known is not None and keeps(known, _limits(target))
    return TargetResult(**target.model_dump(), value=known, met=met)


def _limits(promise: Target | TargetResult) -> tuple[tuple[str, float], ...]:
    if promise.upper is None or promise.inclusive is None:
        return ((promise.op, promise.limit),)
    left, right = bounds_of(promise.inclusive)
    return ((left.replace("<", ">"), promise.limit), (right, promise.upper))
