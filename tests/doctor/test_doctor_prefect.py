"""What is said of a Prefect server: tables of facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nightbench.doctor import orchestration as prefect
from nightbench.doctor.orchestration import Deployed, FlowRun, Pool

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NIGHTLY = Deployed("1", "flows/nightly.py:nightly", crons=frozenset({"15 3 * * *"}))
LONGEST = timedelta(hours=4)
RUN = FlowRun("grey-fox", NOW - timedelta(hours=1))
STUCK = FlowRun("red-fox", NOW - timedelta(hours=5))


@pytest.mark.parametrize(
    ("client", "server", "state"),
    [
        ("3.8.8", "3.8.8", "ok"),
        ("3.8.8", "3.8.11", "ok"),
        ("3.8.8", "3.9.0", "warning"),
        ("3.8.8", "unknown", "warning"),
    ],
)
def test_client_and_server_are_of_one_minor_version(client, server, state):
    assert prefect.judge_versions("http://host/api", client, server).state == state


@pytest.mark.parametrize(
    ("pool", "states"),
    [
        (Pool("nightbench", there=False), ["failure"]),
        (Pool("nightbench", there=True), ["ok", "failure"]),
        (Pool("nightbench", there=True, online=0, heartbeat=NOW - timedelta(hours=3)), ["ok", "failure"]),
        (Pool("nightbench", there=True, online=1, heartbeat=NOW), ["ok", "ok"]),
        (Pool("nightbench", there=True, paused=True, online=1, heartbeat=NOW), ["failure", "ok"]),
    ],
)
def test_a_pool_hands_out_runs_and_a_worker_takes_them(pool, states):
    assert [each.state for each in prefect.judge_pool(pool, NOW)] == states


@pytest.mark.parametrize(
    ("there", "state"),
    [
        ({"nightly": NIGHTLY}, "ok"),
        ({}, "failure"),
        ({"nightly": Deployed("0", NIGHTLY.entrypoint)}, "warning"),
        ({"nightly": Deployed("1", "old/nightly.py:nightly")}, "warning"),
    ],
)
def test_deployments_are_those_of_the_file(there, state):
    assert prefect.judge_deployments({"nightly": NIGHTLY}, there).state == state


@pytest.mark.parametrize(
    ("there", "next_run", "state", "words"),
    [
        (NIGHTLY, NOW + timedelta(hours=15), "ok", "2026-11-28 03:00 UTC, in 15 h"),
        (NIGHTLY, None, "warning", "no run is scheduled"),
        (None, None, "failure", "no deployment nightly"),
        (Deployed("1", "x", paused=True, crons=NIGHTLY.crons), None, "failure", "is paused"),
        (Deployed("1", "x"), None, "failure", "no schedule of nightly is active"),
        (Deployed("1", "x", crons=frozenset({"0 4 * * *"})), NOW, "warning", "prefect.yaml says 15 3 * * *"),
    ],
)
def test_the_next_night_begins_by_itself(there, next_run, state, words):
    finding = prefect.judge_schedule(NIGHTLY, there, next_run, NOW)
    assert finding.state == state
    assert words in finding.why


@pytest.mark.parametrize(
    ("late", "running", "states"),
    [
        ([], [], ["ok"]),
        ([], [RUN], ["ok"]),
        ([RUN], [], ["warning"]),
        ([], [RUN, STUCK], ["failure"]),
        ([RUN], [STUCK], ["warning", "failure"]),
        ([], [FlowRun("no-start", None)], ["ok"]),
    ],
)
def test_runs_that_wait_or_hang_are_told(late, running, states):
    assert [each.state for each in prefect.judge_runs(late, running, LONGEST, NOW)] == states


@pytest.mark.parametrize(
    ("taken", "running", "state"),
    [({}, [], "ok"), ({"a": 0}, [], "ok"), ({"a": 1}, [RUN], "ok"), ({"a": 1, "b": 0}, [], "failure")],
)
def test_slots_that_nobody_uses_are_told(taken, running, state):
    assert prefect.judge_slots(taken, running).state == state
