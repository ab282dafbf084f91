"""A second `nightbench serve` on the server of the first: its worker beside the other one, and the server goes away."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
import pytest
import stack as stacks
import yaml
from faults import WAITS, Scene, stopped
from gate import gate
from outboxes import titles
from processes import survivors

pytestmark = pytest.mark.served

NAMES = [each["name"] for each in yaml.safe_load((stacks.ROOT / "prefect.yaml").read_text())["deployments"]]
ABANDONED = "abandoned"


@pytest.fixture(scope="module")
def seen(stack, stack_cache, tmp_path_factory):
    """What a deployment that was deleted, and runs of the second worker, came to."""
    folder = tmp_path_factory.mktemp("other")
    stack.api.delete(f"/deployments/{stack.deployment('stress')['id']}").raise_for_status()
    before = {name: stack.deployment(name)["id"] for name in NAMES if name != "stress"}
    with gate(urlsplit(stack.api_url).port) as way:
        flags = ("--api-url", f"http://127.0.0.1:{way.port}/api")
        with stacks.started(folder / "data", folder, *flags, cache=stack_cache) as other:
            seen = SimpleNamespace(stack=stack, other=other, folder=folder, before=before)
            seen.after = {name: stack.deployment(name)["id"] for name in NAMES}
            _worker_is_killed(seen)
            with stack.taking(3):  # the lost one counts as well until it is ended
                _side_by_side(seen)
            _server_goes_away(seen, way)
    return seen


def _worker_is_killed(seen):
    """And its run at the same moment; it is started again."""
    _sooner(seen.stack)
    with stopped(seen.stack.worker()):
        waits = {"stress websocket": WAITS}
        seen.lost = Scene(seen.stack, seen.folder / "1", "stress", staged=waits, tags=[ABANDONED])
        run = seen.lost.began()
        seen.stack.until(lambda: _signs_of_life(seen.stack, seen.lost.id))
        seen.killed = seen.other.worker()
        seen.killed.kill()
        run.kill()
        survivors([seen.killed, run])
        seen.again = seen.other.worker()


def _signs_of_life(stack, run_id):
    of_run = {"event": {"name": ["prefect.flow-run.heartbeat"]}}
    of_run["resource"] = {"id": [f"prefect.flow-run.{run_id}"]}
    return stack.ask("/events/filter", filter=of_run)["events"]


def _sooner(stack):
    """Have the automation for runs without a sign of life look at those of one tag after 10 s of silence."""
    content = yaml.safe_load((stacks.ROOT / "deployments" / "automations.yaml").read_text())
    text = json.dumps(content["automations"][0]).replace("prefect.tag.nightbench", f"prefect.tag.{ABANDONED}")
    automation = json.loads(text)
    automation["trigger"]["within"] = 10
    stack.ask("/automations/", **{**automation, "name": "sooner"})


def _side_by_side(seen):
    """A run of each worker, on the same subject."""
    stack, ours, theirs = seen.stack, seen.stack.worker(), seen.again
    slots = {"NIGHTBENCH_RUN__SLOTS": str(seen.folder / "slots")}
    with stopped(ours):
        slow = {"quick websocket": "faults:slow_once_released"}
        seen.through = Scene(stack, seen.folder / "2", "quick", staged=slow, env=slots)
        seen.through_process = seen.through.began()
    with stopped(theirs):
        seen.waiting = Scene(stack, seen.folder / "3", "full", staged={}, env=slots)
        stack.until(
            lambda: any("wait" in line for line in stack.logs(seen.waiting.id)),
            tell=lambda: stack.story(seen.waiting.id),
        )
        seen.worker_of_through = seen.through_process.ppid()
        seen.worker_of_waiting = psutil.Process(
            int(stack.flow_run(seen.waiting.id)["infrastructure_pid"])
        ).ppid()
        stack.cancel(seen.waiting.id)
        stack.wait(seen.waiting.id)


def _server_goes_away(seen, way):
    """For the worker and its run, which ends meanwhile; the one that is behind it is told to end by its worker."""
    stack, through = seen.stack, seen.through
    seen.lost_run = stack.wait(seen.lost.id)
    behind = seen.told = Scene(stack, seen.folder / "4", "baseline", staged={"baseline database": WAITS})
    way.shut()
    (through.folder / "results" / "release").touch()
    stack.until(lambda: len(through.kept) == 2 and titles(through.folder / "outbox"))
    seen.away = SimpleNamespace(state=stack.flow_run(through.id)["state_name"])
    with stopped(stack.worker()):
        way.open()
        through.ended(seen.through_process)
        seen.through_run = stack.wait(through.id)
        process = behind.began()
        worker = seen.other.worker()
        worker.terminate()
        behind.ended(process)
        stack.wait(behind.id)
        seen.left = survivors([worker])


def test_another_server_gets_only_what_is_missing_there(seen):
    assert "stress" in seen.after
    assert seen.before == {name: seen.after[name] for name in seen.before}
    assert [each["active"] for each in seen.stack.deployment("nightly")["schedules"]] == [False]
    assert sorted(path.name for path in (seen.folder / "data").iterdir() if path.is_dir()) == ["logs"]


def test_a_worker_that_was_killed_is_started_again(seen):
    assert seen.again.pid != seen.killed.pid


def test_a_run_that_was_killed_with_its_worker_is_ended_by_the_automation(seen):
    assert (seen.lost_run["state_type"], seen.lost_run["state_name"]) == ("CRASHED", "Crashed")
    assert "no sign of life" in seen.lost_run["state"]["message"]


def test_the_runs_of_two_workers_wait_for_each_other(seen):
    assert seen.worker_of_through != seen.worker_of_waiting


def test_a_run_that_is_cancelled_while_it_waits_for_its_slot_ends_with_nothing(seen):
    assert seen.waiting.states[-1]["type"] == "CANCELLED"
    assert seen.waiting.kept == {}
    assert titles(seen.waiting.folder / "outbox") == []


def test_two_workers_take_one_run_at_a_time(seen):
    begun = next(each for each in seen.told.states if each["type"] == "PENDING")
    assert begun["timestamp"] > seen.through.states[-1]["timestamp"]


def test_a_run_whose_server_goes_away_keeps_and_tells_everything_meanwhile(seen):
    assert seen.away.state == "Running"
    assert seen.through.kept == {"quick websocket": True, "quick database": True}
    assert titles(seen.through.folder / "outbox") == [
        "quick websocket: message.response_time.p95 misses its target"
    ]


def test_it_ends_in_its_own_state_when_the_server_is_back(seen):
    assert (seen.through_run["state_type"], seen.through_run["state_name"]) == ("FAILED", "TargetMissed")


def test_a_run_whose_worker_is_told_to_end_ends_early_and_tells_once(seen):
    last = seen.told.states[-1]
    assert (last["type"], last["name"]) == ("CRASHED", "Interrupted")
    assert "baseline websocket, baseline database (incomplete)" in last["message"]
    assert seen.told.kept == {"baseline websocket": True, "baseline database": False}
    assert sorted(titles(seen.told.folder / "outbox")) == [
        "baseline database: the measurement is incomplete",
        "night: failed",
    ]
    assert seen.left == []
