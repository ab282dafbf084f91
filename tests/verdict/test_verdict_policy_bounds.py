"""What a policy refuses, and the bounds of its numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from nightbench.verdict import Policy
from nightbench.verdict.bounds import BOUNDS


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"judgements": 0}, "judgements has to be a whole number of at least 1, not 0"),
        ({"judgements": 1.5}, "judgements has to be a whole number"),
        ({"judgements": True}, "judgements has to be a whole number"),
        ({"judgements": "2"}, "judgements has to be a whole number of at least 1, not '2'"),
        ({"alpha": 0}, "alpha has to be a number above 0 and below 1, not 0"),
        ({"alpha": 1}, "alpha has to be a number above 0 and below 1, not 1"),
        ({"alpha": float("nan")}, "alpha has to be a number above 0 and below 1, not nan"),
        ({"alpha": None}, "alpha has to be a number"),
        ({"sustained_alpha": -0.1}, "sustained_alpha has to be"),
        ({"change_alpha": 2}, "change_alpha has to be"),
        ({"change_p": 0}, "change_p has to be"),
        ({"change_magnitude": -1}, "change_magnitude has to be a number above 0"),
        ({"change_segment": 2}, "change_segment has to be a whole number of at least 3, not 2"),
        ({"change_age": -1}, "change_age has to be a whole number of at least 0, not -1"),
        ({"effect_floor": -0.05}, "effect_floor has to be a number above 0 and below 1, not -0.05"),
        ({"effect_floor": 5}, "effect_floor has to be a number above 0 and below 1, not 5"),
        ({"least_noise": 0}, "least_noise has to be a number above 0"),
        ({"winsor": 0}, "winsor has to be a number above 0, not 0"),
        ({"prior_weight": float("inf")}, "prior_weight has to be a number of at least 0, not inf"),
        ({"host_change": -0.1}, "host_change has to be"),
        ({"host_explains": -1}, "host_explains has to be a number of at least 0, not -1"),
        ({"least_nights": 1}, "least_nights has to be a whole number of at least 2"),
        ({"least_nights": 11}, r"least_nights \(11\) cannot be more than gating_nights \(10\)"),
        ({"gating_nights": 21}, r"gating_nights \(21\) cannot be more than baseline_nights \(20\)"),
        ({"host_least": 21}, r"host_least \(21\) cannot be more than host_nights \(20\)"),
        ({"effect_floors": {"*": 0}}, r"effect_floors\['\*'\] has to be a number above 0 and below 1, not 0"),
        ({"effect_floors": {7: 0.1}}, "effect_floors: a pattern is a text that is not empty, not 7"),
        ({"effect_floors": {"": 0.1}}, "effect_floors: a pattern is a text that is not empty, not ''"),
        ({"effect_floors": 0.1}, "effect_floors has to be a mapping from patterns, not 0.1"),
        (
            {"host_changes": {"*": "wide"}},
            r"host_changes\['\*'\] has to be a number of at least 0, not 'wide'",
        ),
        ({"gates": {"*": 1}}, r"gates\['\*'\] has to be true or false, not 1"),
        ({"higher_is_worse": {None: True}}, "higher_is_worse: a pattern is a text"),
        ({"higher_is_worse": ["*"]}, "higher_is_worse has to be a mapping"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(asked: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Policy(**asked)


def test_every_number_of_the_policy_has_a_bound() -> None:
    numbers = {field.name for field in fields(Policy) if str(field.type) in {"int", "float"}}
    assert numbers == set(BOUNDS)


@pytest.mark.parametrize(
    "asked", [{"baseline_nights": np.int64(30)}, {"alpha": np.float64(0.05)}, {"winsor": 3}]
)
def test_numbers_of_another_library_are_numbers(asked: dict[str, Any]) -> None:
    assert Policy(**asked) == Policy(**{name: type(value)(value) for name, value in asked.items()})
