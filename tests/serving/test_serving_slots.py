"""One benchmark at a time for each subject: flow runs side by side on one machine and on two, and a terminal beside them."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from nightbench.cli import run_command
from nightbench.settings import Settings
from nightbench.slots.keys import keys_of

pytestmark = pytest.mark.served

LOADS = "slot_stages:until_stopped"
BRIEFLY = "slot_stages:briefly"


@pytest.fixture(scope="module")
def seen(stack, tmp_path_factory):
    """What came of the runs, all of which are side by side; folders of slots of their own are machines of their own."""
    stack.api.patch("/work_pools/nightbench", json={"concurrency_limit": 9}).raise_for_status()
    try:
        yield _scene(stack, tmp_path_factory.mktemp("slots"))
    finally:
        stack.api.patch("/work_pools/nightbench", json={"concurrency_limit": 1})


def _scene(stack, folder):
    address = f"ws://127.0.0.1:{urlsplit(stack.api_url).port}/chat"

    def run(name, stage, machine, *, wait):
        slots = {"NIGHTBENCH_RUN__SLOTS": str(folder / machine), "NIGHTBENCH_RUN__WAIT_SECONDS": wait}
        env = {"NIGHTBENCH_WEBSOCKET_URL": address, **slots}
        return stack.run(name, staged={f"{name} websocket": stage}, env=env)

    first = run("quick", LOADS, "here", wait="60")
    pid = stack.began(first)
    second = run("baseline", BRIEFLY, "here", wait="600")
    afar = run("stress", BRIEFLY, "elsewhere", wait="1")
    seen = SimpleNamespace(stack=stack, first=first, second=second, afar=afar)
    seen.terminal = _terminal(folder / "here", address)
    seen.afar_run = stack.wait(afar)
    _told(stack, second, "is being loaded by quick (process")

    seen.killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    _told(stack, second, "is being loaded by another run", "is being loaded by the flow run")
    name = keys_of(Settings(websocket_url=address), ["websocket"])[0].shared_name
    seen.after_kill = stack.read(f"/v2/concurrency_limits/{name}")
    _expire_leases(stack)
    seen.second_run = stack.wait(second)
    seen.at_last = stack.read(f"/v2/concurrency_limits/{name}")
    return seen


def _told(stack, run_id, *texts):
    """Wait until a run has logged one of `texts`."""
    stack.until(
        lambda: any(text in line for line in stack.logs(run_id) for text in texts),
        tell=lambda: stack._story(run_id),
    )


def _terminal(slots, address):
    """What a command says that would load the same subject, and its exit code."""
    before, told = os.environ["NIGHTBENCH_RUN__SLOTS"], io.StringIO()
    os.environ["NIGHTBENCH_RUN__SLOTS"] = str(slots)
    try:
        with redirect_stderr(told):
            return run_command(["websocket", "--url", address, "--wait", "0"]), told.getvalue()
    finally:
        os.environ["NIGHTBENCH_RUN__SLOTS"] = before


def _expire_leases(stack):
    """Let 90 s pass for the leases that nobody renews."""
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    folder = stack.data / "prefect" / "concurrency_leases"
    for file in folder.glob("*-*.json"):
        lease = json.loads(file.read_text())
        if lease["metadata"]["slots"] and lease["metadata"].get("holder") is None:
            file.write_text(json.dumps(lease | {"expiration": past}))
            index = folder / "expirations.json"
            index.write_text(json.dumps(json.loads(index.read_text()) | {lease["id"]: past}))


def _loads(seen, run_id):
    lines = (seen.stack.results / f"{run_id}.loads").read_text().split()
    return [int(each) for each in lines[1::2]]


def test_the_second_of_two_runs_loads_nothing_before_the_first_one_has_ended(seen):
    assert seen.second_run["state_name"] == "Completed"
    assert _loads(seen, seen.second)[0] > seen.killed > _loads(seen, seen.first)[0]


def test_a_command_in_a_terminal_is_refused_while_a_deployment_runs(seen):
    code, told = seen.terminal
    assert code == 3
    assert "is being loaded by quick (process" in told


def test_a_run_of_another_machine_is_refused_by_a_state_that_names_the_run_that_loads(seen):
    name = seen.stack.flow_run(seen.first)["name"]
    assert (seen.afar_run["state_type"], seen.afar_run["state_name"]) == ("FAILED", "SlotTaken")
    message = seen.afar_run["state"]["message"]
    assert f"is being loaded by the flow run {name} (" in message
    assert "NIGHTBENCH_RUN__WAIT_SECONDS" in message


def test_a_killed_run_has_its_slot_among_machines_until_its_lease_has_run_out(seen):
    assert seen.after_kill["active_slots"] == 1


def test_a_run_that_ends_gives_its_slot_back(seen):
    assert (seen.at_last["active_slots"], seen.at_last["limit"]) == (0, 1)
