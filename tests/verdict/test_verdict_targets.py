"""Promises, kept or not."""

from __future__ import annotations

import math

import pytest
from builders import database_measurement, with_metric
from hypothesis import given
from hypothesis import strategies as st

from nightbench.history.record import judged
from nightbench.target import Target
from nightbench.verdict.targets import judge_targets, leaked

METRIC = "query.response_time.p95"


def judge(promise: str, value: float | None):
    return judge_targets(
        [Target.model_validate(promise)], with_metric(database_measurement(), METRIC, value)
    )[0]


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
    ],
)
def test_each_operator(op: str, below: bool, at: bool, above: bool) -> None:
    assert [judge(f"{METRIC} {op} 100", value).met for value in (99.9, 100, 100.1)] == [below, at, above]


@pytest.mark.parametrize(
    ("promise", "met"),
    [
        (f"45 <= {METRIC} <= 55", [False, True, True, True, False]),
        (f"{METRIC} between 45 and 55", [False, True, True, True, False]),
        (f"45 < {METRIC} < 55", [False, False, True, False, False]),
        (f"45 <= {METRIC} < 55", [False, True, True, False, False]),
        (f"45 < {METRIC} <= 55", [False, False, True, True, False]),
    ],
)
def test_a_range_has_its_bounds_or_not(promise: str, met: list[bool]) -> None:
    assert [judge(promise, value).met for value in (44.9, 45, 50, 55, 55.1)] == met


def test_a_range_is_told_with_both_bounds() -> None:
    result = judge(f"45 <= {METRIC} < 55", 60)
    assert (result.op, result.limit, result.upper) == ("between", 45, 55)
    assert str(result) == f"{METRIC} >= 45 and < 55"
    assert str(judge(f"{METRIC} < 2000", 60)) == f"{METRIC} < 2000"


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_is_missing_is_in_no_range(value: float | None) -> None:
    result = judge(f"{METRIC} between -1e300 and 1e300", value)
    assert (result.met, result.value) == (False, None)


@pytest.mark.parametrize(("value", "met"), [(50, True), (60, False)])
def test_the_document_has_the_upper_bound_of_a_range_alone(value: float, met: bool) -> None:
    shared = {"metric": METRIC, "value": value, "met": met}
    assert judged(judge(f"45 <= {METRIC} < 55", value)) == {
        **shared,
        "op": "between",
        "limit": 45,
        "upper": 55,
        "inclusive": "left",
    }
    assert judged(judge(f"{METRIC} < 55", value)) == {**shared, "op": "<", "limit": 55}


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "=="])
@pytest.mark.parametrize("value", [None, math.nan])
def test_what_is_missing_has_missed(op: str, value: float | None) -> None:
    result = judge(f"{METRIC} {op} 0", value)
    assert (result.met, result.value) == (False, None)


def test_an_unknown_metric_has_missed() -> None:
    result = judge_targets([Target(metric="no.such.metric", op=">=", limit=0)], database_measurement())[0]
    assert (result.met, result.value) == (False, None)


def test_results_keep_the_order_of_the_promises() -> None:
    measurement = database_measurement()
    promises = measurement.plan.promises
    assert [result.metric for result in judge_targets(promises, measurement)] == [
        each.metric for each in promises
    ]


@given(value=st.floats(), limit=st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_is_never_both_below_and_not_below(value: float, limit: float) -> None:
    below, not_below = (
        judge_targets(
            [Target(metric=METRIC, op=op, limit=limit)], with_metric(database_measurement_once, METRIC, value)
        )[0]
        for op in ("<", ">=")
    )
    assert below.met + not_below.met == (0 if math.isnan(value) else 1)


@pytest.mark.parametrize(("rows", "expected"), [(0, False), (1, True), (None, False), (math.nan, False)])
def test_a_leak_is_a_row_that_was_read(rows: float | None, expected: bool) -> None:
    assert leaked(with_metric(database_measurement(), "query.leaked_rows", rows)) is expected


database_measurement_once = database_measurement()
