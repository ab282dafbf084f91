"""What Sentry is told of a nightly flow beside its alerts: that it began and how it ended."""

from __future__ import annotations

import pytest
from sentry_servers import kent
from staged import raising

from flows.in_process.engine import run_flow
from nightbench.errors import MeasurementError
from nightbench.settings import Settings


@pytest.fixture
def sentry(tmp_path):
    with kent(tmp_path) as server:
        yield server


def items(server, kind: str) -> list[dict]:
    return [item.body for item in server.items() if item.type == kind]


def test_a_nightly_flow_checks_in_and_out_and_a_task_that_fails_is_one_event(api, settings, sentry, stages):
    stages.of["full websocket"] = raising(MeasurementError("the load generator gave no result"))
    told: list[str] = []

    outcome = run_flow(
        "nightly",
        Settings(**{**dict(settings), "sentry_dsn": sentry.dsn, "environment": "staging"}),
        quick=True,
        on_note=told.append,
    )

    begin, end = items(sentry, "check_in")
    assert (begin["status"], end["status"]) == ("in_progress", "ok")
    assert begin["check_in_id"] == end["check_in_id"]
    assert begin["monitor_slug"] == "nightbench-nightly-staging"
    assert begin["monitor_config"]["schedule"] == {"type": "crontab", "value": "15 3 * * *"}
    assert end["duration"] > 0
    (event,) = items(sentry, "event")
    assert event["fingerprint"] == ["failed", "websocket", "full", "run", "staging"]
    run, summary = event["contexts"]["links"]["run"], event["contexts"]["links"]["summary"]
    assert "/runs/flow-run/" in run
    assert summary.endswith("/artifacts/key/nightbench-summary")
    assert len(outcome.verdicts) == 5
    assert not [line for line in told if "check-in" in line]


def test_a_tier_by_itself_is_no_night_and_a_dead_server_no_failure(api, settings, stages, monkeypatch):
    monkeypatch.setattr("nightbench.night_checkins.PAUSE_SECONDS", 0.0)
    told: list[str] = []
    nobody = Settings(**{**dict(settings), "sentry_dsn": "http://key@127.0.0.1:9/1"})

    run_flow("quick", nobody, on_note=told.append)
    assert not [line for line in told if "check-in" in line]

    outcome = run_flow("nightly", nobody, quick=True, on_note=told.append)
    lost = [line for line in told if "check-in" in line]
    assert [line.partition(":")[0] for line in lost] == ["no check-in (in_progress)", "no check-in (ok)"]
    assert outcome.exit_code == 0
