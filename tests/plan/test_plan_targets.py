"""Promises as they are written: one bound or two, in every place where a plan can be changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightbench.cli.plan_flags import websocket_changes
from nightbench.errors import ConfigurationError
from nightbench.plan import TierChanges, WebSocketChanges
from nightbench.plan.file import read_plan_file
from nightbench.settings import load
from nightbench.target import Target

METRIC = "message.throughput"
RANGE = Target(metric=METRIC, op="between", limit=45, upper=55)
BOUNDS = st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)).filter(lambda pair: pair[0] < pair[1])


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    ("text", "inclusive"),
    [
        (f"45 <= {METRIC} <= 55", "both"),
        (f"45<={METRIC}<=55.0", "both"),
        (f" {METRIC}  between 45 and 55 ", "both"),
        (f"45 < {METRIC} < 55", "neither"),
        (f"45 <= {METRIC} < 55", "left"),
        (f"45 < {METRIC} <= 55", "right"),
    ],
)
def test_a_range_is_read_as_it_is_written(text, inclusive):
    assert Target.model_validate(text) == RANGE.model_copy(update={"inclusive": inclusive})


@given(BOUNDS, st.sampled_from(["both", "neither", "left", "right"]))
def test_a_range_reads_back_as_itself(bounds, inclusive):
    target = Target(metric=METRIC, op="between", limit=bounds[0], upper=bounds[1], inclusive=inclusive)
    assert Target.model_validate(str(target)) == target


@given(st.sampled_from(["<", "<=", ">", ">=", "=="]), st.floats(-1e300, 1e300))
def test_a_single_bound_reads_back_as_itself(op, limit):
    target = Target(metric=METRIC, op=op, limit=limit)
    assert Target.model_validate(str(target)) == target


@pytest.mark.parametrize(
    ("promise", "says"),
    [
        (f"55 <= {METRIC} <= 45", "the lower bound, 55, is not below the upper one, 45"),
        (f"{METRIC} between 45 and 45", "the lower bound, 45, is not below"),
        (f"45 <= {METRIC} <= inf", "LOWER <= METRIC <= UPPER"),
        (f"nan <= {METRIC} <= 55", "LOWER <= METRIC <= UPPER"),
        (f"{METRIC} between 45", "LOWER <= METRIC <= UPPER"),
        (f"{METRIC} between 45 and", "LOWER <= METRIC <= UPPER"),
        (f"45 <= {METRIC}", "LOWER <= METRIC <= UPPER"),
        (f"45 <= {METRIC} >= 40", "LOWER <= METRIC <= UPPER"),
        (f"55 >= {METRIC} >= 45", "LOWER <= METRIC <= UPPER"),
        (f"45 == {METRIC} == 55", "LOWER <= METRIC <= UPPER"),
        ({"metric": METRIC, "op": "between", "limit": 45}, "needs upper"),
        ({"metric": METRIC, "op": "between", "limit": 45, "upper": float("inf")}, "finite"),
        ({"metric": METRIC, "op": "<", "limit": 45, "upper": 55}, "upper and inclusive are for"),
        ({"metric": METRIC, "op": "<", "limit": 45, "inclusive": "left"}, "upper and inclusive are for"),
        ({"metric": METRIC, "op": "between", "limit": 4, "upper": 5, "inclusive": "some"}, "'neither'"),
    ],
)
def test_what_is_no_range_is_refused_with_the_reason(promise, says):
    with pytest.raises(ValidationError, match=says):
        Target.model_validate(promise)


def in_the_settings_file(targets):
    Path("nightbench.toml").write_text(f"[plan.full.websocket]\ntargets = {targets}\n")
    return load().tier("full").websocket


def in_a_plan_file(targets):
    Path("it.yaml").write_text(f"websocket:\n  targets: {targets}\n")
    return load().with_plan_file(read_plan_file(Path("it.yaml"))).tier("full").websocket


@pytest.mark.parametrize(
    ("place", "targets"),
    [
        (in_the_settings_file, f'["45 <= {METRIC} <= 55"]'),
        (in_the_settings_file, f'[{{metric = "{METRIC}", op = "between", limit = 45, upper = 55}}]'),
        (in_a_plan_file, f'["{METRIC} between 45 and 55"]'),
        (in_a_plan_file, f"[{{metric: {METRIC}, op: between, limit: 45, upper: 55}}]"),
    ],
)
def test_a_range_may_stand_wherever_a_target_may(place, targets):
    assert place(targets).promises[-1] == RANGE


def test_a_range_may_stand_in_a_flag():
    assert websocket_changes(None, targets=[f"45 <= {METRIC} <= 55"]).targets == (RANGE,)
    with pytest.raises(ConfigurationError, match=r"--target = .*the lower bound, 60, is not below"):
        websocket_changes(None, targets=[f"60 <= {METRIC} <= 55"])


def test_the_form_takes_a_range_and_stores_what_it_reads_back():
    changes = WebSocketChanges.model_validate({"targets": [RANGE.model_dump(mode="json")]})
    assert changes.targets == (RANGE,)


def test_each_tier_and_each_metric_has_promises_of_its_own():
    Path("nightbench.toml").write_text(
        "[plan.full.websocket]\n"
        f"targets = ['45 <= {METRIC} <= 55', 'message.response_time.p95 < 900']\n"
        f"[plan.stress.websocket]\ntargets = ['{METRIC} >= 90']\n"
    )
    flags = TierChanges(websocket=WebSocketChanges(targets=(f"{METRIC} >= 40",)))
    assert [str(promise) for promise in load().tier("full").websocket.promises] == [
        "connection.connected_users >= 100",
        "connection.success_rate > 95",
        "message.success_rate > 95",
        f"45 <= {METRIC} <= 55",
        "message.response_time.p95 < 900",
    ]
    # of one metric the last word counts, be it a range or a bound
    assert f"{METRIC} >= 40" in map(str, load().tier("full", flags).websocket.promises)
    assert f"45 <= {METRIC} <= 55" not in map(str, load().tier("full", flags).websocket.promises)
    assert f"{METRIC} >= 90" in map(str, load().tier("stress").websocket.promises)
    assert METRIC not in {promise.metric for promise in load().tier("baseline").websocket.promises}
