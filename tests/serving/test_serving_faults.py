"""Runs that are cancelled in each of their stages, with a real server and worker: what is kept, said and left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faults import WAITS, Scene, deaf_server
from outboxes import titles
from processes import survivors

pytestmark = pytest.mark.served

BY_THE_WORKER = "Flow run was cancelled successfully."
"""What Prefect's worker says of every run that it has cancelled, after what the run itself has said."""
PARTS = ("prefect.engine", "nightbench.reference", "nightbench.load.forking")
"""What a run consists of, by module."""


@pytest.fixture(scope="module")
def ended(stack, tmp_path_factory):
    """Runs side by side, each of which is cancelled."""
    with stack.taking(9):
        return _scenes(stack, tmp_path_factory.mktemp("faults"))


def _scenes(stack, folder):
    runs = SimpleNamespace()
    night, slow = {"full websocket": WAITS}, {"stress websocket": "faults:slow"}
    with deaf_server(lambda: stack.cancel(runs.telling.id)) as dsn:
        runs.starting = Scene(stack, folder / "1", "baseline", staged=None)
        runs.cancelled = Scene(stack, folder / "2", "nightly", staged=night)
        runs.telling = Scene(stack, folder / "3", "stress", staged=slow, env={"NIGHTBENCH_SENTRY_DSN": dsn})
        stack.until(lambda: stack.processes("nightbench.reference"))
        stack.cancel(runs.starting.id)
        process = runs.cancelled.began()
        started = stack.processes(*PARTS)
        stack.cancel(runs.cancelled.id)
        runs.cancelled.ended(process)
        for run in (runs.starting, runs.cancelled, runs.telling):
            stack.wait(run.id)
            # the worker's last word, after which it needs the run no more
            stack.until(lambda run=run: run.states[-1]["message"] == BY_THE_WORKER)
    runs.left = survivors([*started, *stack.processes(*PARTS)])
    return runs


def test_a_cancelled_night_keeps_what_it_has_and_marks_what_was_cut_short(ended):
    assert ended.cancelled.kept == {
        "baseline websocket": True,
        "baseline database": True,
        "full websocket": False,
    }
    assert ended.cancelled.ended_after < 30  # or else the worker has killed it


def test_a_cancelled_night_says_what_is_kept_and_is_no_crash(ended):
    *_, own, last = ended.cancelled.states

    assert (own["type"], last["type"]) == ("CANCELLED", "CANCELLED")
    said = own["message"]
    assert "kept: baseline websocket, baseline database, full websocket (incomplete)" in said
    assert "stress database: not run" in said
    assert titles(ended.cancelled.folder / "outbox") == ["full websocket: the measurement is incomplete"]


def test_a_run_that_is_cancelled_while_its_subject_starts_measures_nothing_and_leaves_nothing(ended):
    assert ended.starting.states[-1]["type"] == "CANCELLED"
    assert ended.starting.kept == {}
    assert titles(ended.starting.folder / "outbox") == []


def test_a_run_that_is_cancelled_while_it_tells_leaves_the_alert_in_the_outbox(ended):
    assert ended.telling.states[-1]["type"] == "CANCELLED"
    assert ended.telling.kept == {"stress websocket": True, "stress database": True}
    assert "stress websocket: message.response_time.p95 misses its target" in titles(
        ended.telling.folder / "outbox"
    )


def test_nothing_that_a_run_has_started_outlives_it(ended):
    assert ended.left == []
