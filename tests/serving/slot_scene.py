"""Runs side by side that load the same subject, on one machine and on two, and a terminal beside them."""

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

from staged import with_earlier_nights

from nightbench.cli import run_command
from nightbench.settings import Settings
from nightbench.slots.keys import keys_of

LOADS = "slot_stages:until_stopped"
BRIEFLY = "slot_stages:briefly"


def side_by_side(stack, folder):
    """What came of the runs; folders of slots of their own are machines of their own.

    The first one is killed; the second is a night after ten others, a fifth slower than these.
    """
    address = f"ws://127.0.0.1:{urlsplit(stack.api_url).port}/chat"
    outbox = folder / "outbox"
    with_earlier_nights(folder / "results")

    def run(name, stage, machine, *, wait, **more):
        slots = {"NIGHTBENCH_RUN__SLOTS": str(folder / machine), "NIGHTBENCH_RUN__WAIT_SECONDS": wait}
        env = {"NIGHTBENCH_WEBSOCKET_URL": address, **slots, **more}
        return stack.run(name, staged={f"{name} websocket": stage}, env=env)

    first = run("baseline", LOADS, "here", wait="60", NIGHTBENCH_OUTBOX=str(outbox))
    trend = _trend(stack, folder)
    pid = stack.began(first)
    of_night = {"NIGHTBENCH_RESULTS": str(folder / "results"), "NIGHTBENCH_ENVIRONMENT": "local"}
    second = run("quick", "slot_stages:slower", "here", wait="600", **of_night)
    afar = run("stress", BRIEFLY, "elsewhere", wait="1")
    seen = SimpleNamespace(stack=stack, first=first, second=second, afar=afar, trend=trend, outbox=outbox)
    seen.results = folder / "results"
    seen.terminal = _terminal(folder / "here", address)
    seen.afar_run = stack.wait(afar)
    _told(stack, second, "is being loaded by baseline (process")

    seen.killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    _told(stack, second, "is being loaded by another run", "is being loaded by the flow run")
    name = keys_of(Settings(websocket_url=address), ["websocket"])[0].shared_name
    seen.after_kill = stack.read(f"/v2/concurrency_limits/{name}")
    _expire_leases(stack)
    seen.second_run = stack.wait(second)
    seen.at_last = stack.read(f"/v2/concurrency_limits/{name}")
    seen.first_run = stack.wait(first)
    stack.wait(trend, "Completed")
    return seen


def _trend(stack, folder):
    env = {"NIGHTBENCH_RESULTS": str(folder / "results"), "NIGHTBENCH_ENVIRONMENT": "local"}
    return stack.run("trend-report", {"tier": "quick", "nights": 30}, env=env)


def _told(stack, run_id, *texts):
    """Wait until a run has logged one of `texts`."""
    stack.until(
        lambda: any(text in line for line in stack.logs(run_id) for text in texts),
        tell=lambda: stack.story(run_id),
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
