"""Promises as they are written: ``message.response_time.p95 < 2000``."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import AfterValidator, model_validator

from nightbench.frozen import Frozen
from nightbench.spelling import did_you_mean

Comparison = Literal["<", "<=", ">", ">=", "=="]

_PART = re.compile(r"\[[^\[\]]+\]$")
_TARGET = re.compile(r"\s*(?P<metric>[^\s<>=]+)\s*(?P<op><=|>=|==|<|>)\s*(?P<limit>\S+)\s*")


class Target(Frozen):
    """An absolute promise: ``metric op limit``, for example ``message.response_time.p95 < 2000`` (ms)."""

    metric: str
    op: Comparison
    limit: float

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _TARGET.fullmatch(value)
        if found is None or not _is_finite(found["limit"]):
            msg = "not METRIC OP LIMIT, as in 'message.response_time.p95 < 2000'"
            raise ValueError(msg)
        return found.groupdict()

    def __str__(self) -> str:
        return f"{self.metric} {self.op} {self.limit:g}"


def about(suite: str, *operations: str) -> AfterValidator:
    """A validator that refuses a target which `suite` would be measured for in vain.

    Args:
        suite: Its name.
        operations: What its metrics begin with; ``query[STATEMENT]`` stands for any statement of ``query``.
    """

    def check(target: Target) -> Target:
        operation = target.metric.partition(".")[0]
        part = _PART.search(operation) is not None
        whole = _PART.sub("", operation)
        if not any(_PART.sub("", known) == whole and (part == ("[" in known)) for known in operations):
            msg = (
                f"the {suite} suite measures no {operation!r}; its metrics begin with {', '.join(operations)}"
            )
            raise ValueError(msg)
        return target

    return AfterValidator(check)


def unknown_metric(suite: str, metric: str, known: Collection[str]) -> tuple[str, str]:
    """What is wrong with a target of `metric`, which is none of the `known` ones, and the way out."""
    problem = f"the {suite} suite measures no {metric} with this plan"
    quantity = _quantity(metric)
    siblings = [name for name in known if _quantity(name) == quantity and name != quantity]
    if siblings and quantity != metric and "." in quantity:
        return problem, f"known are {', '.join(sorted(siblings))}"
    if get_close_matches(metric, known, n=1, cutoff=0.7):
        return problem, did_you_mean(metric, known)
    operation = metric.partition(".")[0]
    quantities = {_quantity(name) for name in known if name.partition(".")[0] == operation}
    return problem, f"known are {', '.join(sorted(quantities or {name.partition('.')[0] for name in known}))}"


def _quantity(metric: str) -> str:
    """The metric without its statistic: ``message.response_time`` of ``message.response_time.p95``."""
    return ".".join(metric.split(".")[:2])


def merged_targets(kept: tuple[Target, ...], new: tuple[Target, ...]) -> tuple[Target, ...]:
    """The `kept` targets of metrics that `new` does not name, then the `new` ones."""
    named = {target.metric for target in new}
    return (*(target for target in kept if target.metric not in named), *new)


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
