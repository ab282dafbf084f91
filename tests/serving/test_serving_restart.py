"""The whole of `nightbench serve` is killed, as a machine without power, and started on what is left and on a new file."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
import pytest
import stack as stacks
import yaml
from faults import WAITS, Scene
from full_disk import needs_a_small_disk
from outboxes import titles
from processes import survivors

pytestmark = pytest.mark.served

ROOT = stacks.ROOT


@pytest.fixture(scope="module")
def seen(stack, stack_cache, tmp_path_factory):
    """What became of two runs that were under way, one of which lived on, and of the next one."""
    folder = tmp_path_factory.mktemp("restart")
    seen = SimpleNamespace()
    with stack.taking(9):
        seen.orphan = Scene(stack, folder / "1", "quick", staged={"quick websocket": WAITS})
        seen.lost = Scene(stack, folder / "2", "stress", staged={"stress websocket": WAITS})
        orphan, lost = seen.orphan.began(), seen.lost.began()
    family = psutil.Process(stack.process.pid).children(recursive=True)
    family = [each for each in family if each != orphan]
    for each in (psutil.Process(stack.process.pid), stack.worker(), lost):
        each.kill()
    seen.left = survivors(family)

    flags = ("--port", str(urlsplit(stack.api_url).port), "--file", str(_changed_project(folder)))
    told = {"NIGHTBENCH_OUTBOX": str(folder / "outbox")}
    with stacks.started(stack.data, folder, *flags, cache=stack_cache, env=told) as again:
        seen.again, seen.told = again, titles(folder / "outbox")
        seen.lived_on = orphan.is_running()
        for each in (seen.orphan, seen.lost):
            each.stack = again
        small = {"baseline database": "faults:on_a_small_disk"}
        seen.next = Scene(again, folder / "3", "baseline", staged=small)
        again.cancel(seen.orphan.id)
        seen.orphan.ended(orphan)
        again.wait(seen.orphan.id)
        again.wait(seen.next.id)
        yield seen
    shutil.rmtree(stack.data)


def _changed_project(folder):
    project = folder / "project"
    project.mkdir()
    for name in ("flows", "deployments"):
        (project / name).symlink_to(ROOT / name)
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    entries = {each["name"]: each for each in content["deployments"]}
    entries["nightly"]["schedules"][0]["cron"] = "30 4 * * *"
    entries["full"]["description"] = "Changed in the file."
    entries["quick"]["schedules"] = [{"slug": "hourly", "cron": "7 * * * *", "timezone": "Europe/Zurich"}]
    entries["trend-report"]["schedules"] = []
    del entries["capacity"]
    (project / "prefect.yaml").write_text(yaml.safe_dump({**content, "deployments": list(entries.values())}))
    return project / "prefect.yaml"


def test_a_killed_serve_leaves_no_process_and_the_next_one_starts(seen):
    assert seen.left == []
    assert seen.again.process.poll() is None


def test_a_run_that_was_killed_with_it_has_crashed_and_is_told(seen):
    last = seen.lost.states[-1]
    assert last["type"] == "CRASHED"
    assert "nightbench serve that ran it was killed" in last["message"]
    assert seen.told == ["stress: crashed"]


def test_a_run_that_outlives_its_worker_and_its_server_hears_of_a_cancel(seen):
    last = seen.orphan.states[-1]
    assert seen.lived_on
    assert last["type"] == "CANCELLED"
    assert "kept: quick websocket (incomplete); quick database: not run" in last["message"]
    assert seen.orphan.kept == {"quick websocket": False}
    assert titles(seen.orphan.folder / "outbox") == ["quick websocket: the measurement is incomplete"]


@needs_a_small_disk
def test_the_next_run_finds_a_worker_and_what_a_full_disk_cannot_take_is_kept_aside(seen):
    last = seen.next.states[-1]
    assert (last["type"], last["name"]) == ("FAILED", "Invalid")
    assert "baseline database: failed" in last["message"]
    assert seen.next.kept == {"baseline websocket": True}
    assert "baseline database: failed" in titles(seen.next.folder / "outbox")


def test_what_changed_in_the_file_changes_and_what_a_user_paused_stays_paused(seen):
    assert seen.again.deployment("full")["description"] == "Changed in the file."
    (night,) = seen.again.deployment("nightly")["schedules"]
    assert (night["schedule"]["cron"], night["active"]) == ("30 4 * * *", False)


def test_what_is_new_in_the_file_is_made_and_what_is_gone_is_removed(seen):
    (hourly,) = seen.again.deployment("quick")["schedules"]
    assert (hourly["slug"], hourly["active"]) == ("hourly", True)
    assert hourly["schedule"]["timezone"] == "Europe/Zurich"
    assert seen.again.deployment("trend-report")["schedules"] == []
    assert seen.again.api.get("/deployments/name/capacity/capacity").status_code == 404


def test_what_has_not_changed_is_left_alone(seen):
    of = seen.again.deployment
    assert of("baseline")["updated"] < of("full")["updated"]
    names = [each["name"] for each in seen.again.ask("/automations/filter")]
    assert len([name for name in names if name.startswith("nightbench:")]) == 4
