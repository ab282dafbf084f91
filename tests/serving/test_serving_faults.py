"""Runs that are cancelled, told to end and killed, with a real server and worker: what is kept, said and left."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import psutil
import pytest
from faults import Scene, deaf_server
from full_disk import needs_a_small_disk
from outboxes import titles

pytestmark = [pytest.mark.served, pytest.mark.timeout(600)]  # all of them happen in the first one's fixture

WAITS = "staging:until_stopped"
BY_THE_WORKER = "Flow run was cancelled successfully."
"""What Prefect's worker says of every run that it has cancelled, after what the run itself has said."""


@pytest.fixture(scope="module")
def roomy(stack):
    """The work pool, which has one run at a time, with room for all of these."""
    stack.api.patch("/work_pools/nightbench", json={"concurrency_limit": 9}).raise_for_status()
    yield stack
    stack.api.patch("/work_pools/nightbench", json={"concurrency_limit": 1}).raise_for_status()


@pytest.fixture(scope="module")
def ended(roomy, tmp_path_factory):
    """Runs side by side, to each of which something happens; the worker is killed at last."""
    folder = tmp_path_factory.mktemp("faults")
    slots = {"NIGHTBENCH_RUN__SLOTS": str(folder / "slots")}
    runs = SimpleNamespace()
    with deaf_server(lambda: roomy.cancel(runs.telling.id)) as dsn:
        deaf = {"NIGHTBENCH_SENTRY_DSN": dsn}
        vars(runs).update(
            starting=Scene(roomy, folder / "1", "baseline", staged=None),
            cancelled=Scene(roomy, folder / "2", "nightly", staged={"full websocket": WAITS}),
            told=Scene(roomy, folder / "3", "full", staged={"full database": WAITS}),
            telling=Scene(
                roomy, folder / "4", "stress", staged={"stress websocket": "faults:slow"}, env=deaf
            ),
            orphan=Scene(roomy, folder / "5", "quick", staged={"quick websocket": WAITS}, env=slots),
        )
        roomy.until(lambda: _processes(roomy, "nightbench.reference"))
        roomy.cancel(runs.starting.id)

        process = runs.told.began()
        process.send_signal(signal.SIGTERM)
        runs.told.ended(process)
        orphan = runs.orphan.began()
        roomy.wait(runs.told.id)
        runs.waiting = Scene(roomy, folder / "6", "full", staged={}, env=slots)

        process = runs.cancelled.began()
        roomy.cancel(runs.cancelled.id)
        runs.cancelled.ended(process)

        roomy.until(lambda: any("wait" in line for line in roomy.logs(runs.waiting.id)))
        roomy.cancel(runs.waiting.id)
        for run in (runs.starting, runs.cancelled, runs.telling, runs.waiting):
            roomy.wait(run.id)
            # the worker's last word, after which it needs the run no more
            roomy.until(lambda run=run: run.states[-1]["message"] == BY_THE_WORKER)

    started = _processes(roomy, "prefect.engine", "nightbench.reference", "nightbench.load.child")
    runs.left = [each for each in started if each.pid != orphan.pid]
    _kill_the_worker(roomy)
    runs.next = Scene(roomy, folder / "7", "baseline", staged={"baseline database": "faults:on_a_small_disk"})
    roomy.wait(runs.next.id)
    runs.lived_on = orphan.is_running()
    roomy.cancel(runs.orphan.id)
    runs.orphan.ended(orphan)
    roomy.wait(runs.orphan.id)
    return runs


def _kill_the_worker(stack):
    """Which is started anew."""
    (worker,) = _processes(stack, "flows.serving.worker_process")
    worker.kill()


def _processes(stack, *modules):
    """Those that `serve` has started, and they in turn, which run one of `modules`."""
    below = psutil.Process(stack.process.pid).children(recursive=True)
    return [each for each in below if set(modules) & set(_command(each))]


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


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


def test_a_run_whose_process_is_told_to_end_ends_early_and_tells_once(ended):
    last = ended.told.states[-1]

    assert (last["type"], last["name"]) == ("CRASHED", "Interrupted")
    assert "full websocket, full database (incomplete)" in last["message"]
    assert ended.told.kept == {"full websocket": True, "full database": False}
    assert sorted(titles(ended.told.folder / "outbox")) == [
        "full database: the measurement is incomplete",
        "night: failed",
    ]


def test_a_run_that_is_cancelled_while_it_tells_leaves_the_alert_in_the_outbox(ended):
    assert ended.telling.states[-1]["type"] == "CANCELLED"
    assert ended.telling.kept == {"stress websocket": True, "stress database": True}
    assert "stress websocket: message.response_time.p95 misses its target" in titles(
        ended.telling.folder / "outbox"
    )


def test_nothing_that_a_run_has_started_outlives_it(ended):
    assert ended.left == []


def test_a_run_that_is_cancelled_while_it_waits_for_its_slot_ends_with_nothing(ended):
    assert ended.waiting.states[-1]["type"] == "CANCELLED"
    assert ended.waiting.kept == {}
    assert titles(ended.waiting.folder / "outbox") == []


def test_a_run_whose_worker_is_killed_goes_on_and_hears_of_a_cancel(ended):
    last = ended.orphan.states[-1]

    assert ended.lived_on
    assert last["type"] == "CANCELLED"
    assert "kept: quick websocket (incomplete); quick database: not run" in last["message"]
    assert ended.orphan.kept == {"quick websocket": False}


@needs_a_small_disk
def test_the_run_after_it_finds_a_worker_and_what_a_full_disk_cannot_take_is_kept_aside(ended):
    last = ended.next.states[-1]

    assert (last["type"], last["name"]) == ("FAILED", "Invalid")
    assert "baseline database: failed" in last["message"]
    assert ended.next.kept == {"baseline websocket": True}
    assert "baseline database: failed" in titles(ended.next.folder / "outbox")
