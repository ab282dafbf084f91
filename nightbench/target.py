"""Promises as they are written: ``message.response_time.p95 < 2000``, ``45 <= message.throughput <= 55``."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nightbench.form import also_as_text
from nightbench.frozen import Frozen
from nightbench.spelling import did_you_mean

Comparison = Literal["<", "<=", ">", ">=", "==", "between"]
Inclusive = Literal["both", "neither", "left", "right"]
"""Which bounds of a range are a part of it; pandas has the same words."""

_PART = re.compile(r"\[[^\[\]]+\]$")
_METRIC = r"(?P<metric>[^\s<>=]+)"
_TARGET = re.compile(rf"\s*{_METRIC}\s*(?P<op><=|>=|==|<|>)\s*(?P<limit>[^\s<>=]+)\s*")
_RANGE = re.compile(
    rf"\s*(?P<limit>[^\s<>=]+)\s*(?P<left><=|<)\s*{_METRIC}\s*(?P<right><=|<)\s*(?P<upper>[^\s<>=]+)\s*"
)
_BETWEEN = re.compile(rf"\s*{_METRIC}\s+between\s+(?P<limit>[^\s<>=]+)\s+and\s+(?P<upper>[^\s<>=]+)\s*")
_SHORT_NAME, _SHORT_NUMBER = r"[\w.\[\]]+\.\w+", r"[-+.\de]+"
TEXT = (
    rf"^ *({_SHORT_NAME} *([<>]=?|==) *{_SHORT_NUMBER}|{_SHORT_NUMBER} *<=? *{_SHORT_NAME} *<=? *{_SHORT_NUMBER}"
    rf"|{_SHORT_NAME} between {_SHORT_NUMBER} and {_SHORT_NUMBER}) *$"
)
"""What a target looks like as text, for a form, which shows it to whoever writes another: so it is a short one."""
_INCLUSIVE: dict[tuple[str, str], Inclusive] = {
    ("<=", "<="): "both",
    ("<", "<"): "neither",
    ("<=", "<"): "left",
    ("<", "<="): "right",
}
_BOUNDS = {inclusive: bounds for bounds, inclusive in _INCLUSIVE.items()}


class Target(Frozen, json_schema_extra=also_as_text(TEXT, "message.response_time.p95 < 2000")):
    """An absolute promise: ``message.response_time.p95 < 2000`` (ms), or ``45 <= message.throughput <= 55``."""

    metric: Annotated[str, Field(title="Metric", description="such as message.response_time.p95")]
    op: Annotated[Comparison, Field(title="Is")]
    limit: Annotated[
        float,
        Field(title="Limit", description="in the metric's unit, times in ms; the lower bound of between"),
    ]
    upper: Annotated[
        float | None, Field(title="Upper", description="the upper bound of between; none for others")
    ] = None
    inclusive: Annotated[
        Inclusive | None,
        Field(
            title="Inclusive",
            description="which bounds of between meet it, both unless set; none for others",
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return _read(value)
        if isinstance(value, dict) and value.get("op") == "between" and value.get("inclusive") is None:
            return {**value, "inclusive": "both"}
        return value

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.op != "between":
            if self.upper is not None or self.inclusive is not None:
                msg = f"upper and inclusive are for a target whose op is 'between', not {self.op!r}"
                raise ValueError(msg)
        elif self.upper is None:
            msg = "a target whose op is 'between' needs upper, the bound above limit"
            raise ValueError(msg)
        elif not self.limit < self.upper:
            msg = f"the lower bound, {plain(self.limit)}, is not below the upper one, {plain(self.upper)}"
            raise ValueError(msg)
        return self

    @property
    def most(self) -> float | None:
        """The largest value that it allows, or the bound below which it has to be; None when there is none."""
        if self.op == "between":
            return self.upper
        return None if self.op in (">", ">=") else self.limit

    def __str__(self) -> str:
        if self.op != "between" or self.upper is None or self.inclusive is None:
            return f"{self.metric} {self.op} {plain(self.limit)}"
        left, right = bounds_of(self.inclusive)
        return f"{plain(self.limit)} {left} {self.metric} {right} {plain(self.upper)}"


def bounds_of(inclusive: Inclusive) -> tuple[str, str]:
    """How the lower and the upper bound of a range are written: ``("<=", "<")`` for ``left``."""
    return _BOUNDS[inclusive]


def plain(number: float) -> str:
    """A number as people write it, whole where it is whole; it reads back as the same."""
    return repr(float(number)).removesuffix(".0")


def _read(text: str) -> dict[str, Any]:
    for form in (_RANGE, _BETWEEN, _TARGET):
        found = form.fullmatch(text)
        if found is not None and all(_is_finite(found[name]) for name in _limits(form)):
            return _parts(found.groupdict())
    msg = (
        "not METRIC OP LIMIT, as in 'message.response_time.p95 < 2000', "
        "nor LOWER <= METRIC <= UPPER, as in '45 <= message.throughput <= 55'"
    )
    raise ValueError(msg)


def _limits(form: re.Pattern[str]) -> list[str]:
    return [name for name in ("limit", "upper") if name in form.groupindex]


def _parts(found: dict[str, str]) -> dict[str, Any]:
    if "upper" not in found:
        return dict(found)
    bounds = found.pop("left", "<="), found.pop("right", "<=")
    return {**found, "op": "between", "inclusive": _INCLUSIVE[bounds]}


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
