"""The ``[verdict]`` table of the settings: what a team may want stricter, laxer, or of other metrics.

What is left out is as in `nightbench.verdict.policy.Policy`, which says what each number does; all its other numbers
are the method's, which the published false alerts and powers stand on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool
from pydantic_settings import NoDecode

from nightbench.frozen import Frozen

_Value = TypeVar("_Value")


def _between(least: float, most: float, hint: str = "") -> AfterValidator:
    def check(value: float) -> float:
        if not least <= value <= most:
            msg = f"has to be from {least:g} to {most:g}{hint}"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


def _table(value: object) -> object:
    """A table as it stands in a variable: JSON. Left as text it replaces that of the file, and is not mixed with it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        msg = """is no JSON table, such as {"message.*": …}"""
        raise ValueError(msg) from None


def _patterns(value: Mapping[str, _Value]) -> Mapping[str, _Value]:
    if not all(pattern.strip() for pattern in value):
        msg = "has a pattern without a character: '*' is every metric"
        raise ValueError(msg)
    return value


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        msg = "a number is due, not true or false"
        raise ValueError(msg)  # noqa: TRY004  # pydantic hears of nothing else
    return value


_PERCENT = ": 0.05 is 5 %"

_NUMBER = BeforeValidator(_no_truth)  # before the bounds, which take true for 1

Change = Annotated[float, _NUMBER, _between(0.001, 0.9, _PERCENT)]
Chance = Annotated[float, _NUMBER, _between(1e-9, 0.5, _PERCENT)]
Nights = Annotated[int, _NUMBER, _between(2, 365)]
Weight = Annotated[float, _NUMBER, _between(0, 100)]

Floors = Annotated[Mapping[str, Change], NoDecode, BeforeValidator(_table), AfterValidator(_patterns)]
Choices = Annotated[Mapping[str, StrictBool], NoDecode, BeforeValidator(_table), AfterValidator(_patterns)]


class VerdictSettings(Frozen):
    """How a night is judged, where it is not as usual. Patterns: the first that fits a metric counts."""

    effect_floor: Change | None = Field(
        None, description="smallest relative change that matters; 0.05 is 5 %"
    )
    effect_floors: Floors = Field({}, description="the same by metric or pattern")
    higher_is_worse: Choices = Field({}, description="whether more of a metric is bad, by metric or pattern")
    gates: Choices = Field({}, description="whether a metric can be a regression, by metric or pattern")
    baseline_nights: Nights | None = Field(
        None, description="how many earlier nights tonight is compared with, at most"
    )
    gating_nights: Nights | None = Field(
        None, description="with fewer earlier nights nothing is a regression"
    )
    least_nights: Nights | None = Field(None, description="with fewer earlier nights nothing is compared")
    alpha: Chance | None = Field(None, description="chance of a wrong suspect in a night, over all metrics")
    sustained_alpha: Chance | None = Field(None, description="the same for what three nights show together")
    change_alpha: Chance | None = Field(None, description="the same for a change point")
    prior_weight: Weight | None = Field(
        None, description="most weight of the noise of the other metrics beside a metric's own, in nights"
    )
    most_noise: Change | None = Field(
        None, description="relative noise above which a tail percentile does not gate"
    )
