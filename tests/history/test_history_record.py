"""One run as plain data, the JSON document of a suite."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric
from hypothesis import given
from hypothesis import strategies as st

from nightbench.history.record import record
from nightbench.measurement import Measurement, Metric
from nightbench.tiers import TIERS


def of(measurement: Measurement):
    return record(measurement, verdict_of(measurement).targets)


def test_the_keys_of_the_design_come_first() -> None:
    content = of(websocket_measurement())
    design = ["schema", "run_id", "suite", "tier", "plan", "validity", "operations", "metrics", "targets"]
    assert [key for key in content if key in design] == design
    assert set(content) - set(design) == {
        "night_id", "environment", "release", "role", "block", "started_at", "duration", "uncounted", "subject", "host",
        "details",
    }  # fmt: skip


def test_its_values_are_those_of_the_design() -> None:
    content = of(websocket_measurement())
    assert content["schema"] == 1
    assert content["validity"] == {"valid": True, "complete": True, "reasons": []}
    assert content["operations"]["message"] == {
        "scheduled": 400, "ok": 398, "failed": 1, "timed_out": 1, "skipped": 0, "in_flight": 0,
        "errors": {"reply_timeout": 1, "close_1011": 1},
    }  # fmt: skip
    assert {"name": "message.throughput", "value": 49.75, "unit": "1/s", "n": 400} in content["metrics"]
    assert {
        "metric": "connection.connected_users", "op": ">=", "limit": 100.0, "value": 100.0, "met": True,
    } in content["targets"]  # fmt: skip
    assert content["started_at"] == "2026-11-24T03:15:00.000000Z"
    assert content["plan"]["users"] == 100


def test_an_incomplete_run_is_not_valid() -> None:
    validity = of(invalidated(database_measurement(), "the backend went away", complete=False))["validity"]
    assert validity == {"valid": False, "complete": False, "reasons": ["the backend went away"]}


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_null(value: float | None) -> None:
    content = of(with_metric(websocket_measurement(), "message.throughput", value))
    found = next(metric for metric in content["metrics"] if metric["name"] == "message.throughput")
    assert found["value"] is None


def test_odd_details_become_json() -> None:
    details = {
        "a": np.float64(1.5),
        "b": np.arange(2),
        "c": Path("x"),
        "d": {1},
        "e": b"\xff",
        5: math.nan,
    }
    content = of(websocket_measurement(details=details))["details"]
    assert content == {"a": 1.5, "b": [0, 1], "c": "x", "d": [1], "e": "\ufffd", "5": None}


def test_nothing_secret_is_in_it() -> None:
    measurement = invalidated(
        websocket_measurement(
            subject={"dsn": "postgresql://app:hunter2@host/db", "password=hunter2": 1},
            details={"deep": [{"text": "Bearer abcdef1234"}]},
        ),
        "token=abcdef1234 was refused",
    )
    text = json.dumps(of(measurement), allow_nan=False)
    assert "hunter2" not in text
    assert "abcdef1234" not in text


@given(name=st.text(), value=st.none() | st.floats())
def test_it_is_json_whatever_was_measured(name: str, value: float | None) -> None:
    content = of(
        websocket_measurement(metrics=(Metric(name, value, "ms", 1),), windows=(), details={name: value})
    )
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_a_long_text_of_the_plan_is_stored_by_its_digest():
    long = "x" * 50_000
    plan = TIERS["quick"].websocket.model_copy(update={"message": long})
    stored = record(websocket_measurement(plan=plan), [])["plan"]["message"]
    assert stored.startswith("xxx")
    assert len(stored) < 400
    assert hashlib.sha256(long.encode()).hexdigest() in stored
    assert "50000 characters" in stored
