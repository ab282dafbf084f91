"""A ``nightbench serve`` of the benchmarks' own, and runs of its deployments."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, ContenderError

_LAST_WORD = "PREFECT_API_URL="
_FINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})
_WHOLE = frozenset({"Completed", "TargetMissed", "Invalid"})
"""Names of the states of a night that ran to its end, whatever this machine made of it."""
_LOOK_SECONDS = 0.25
_MOST_SECONDS = 900.0


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """A server with a worker while inside, with its data in `folder`; the address of its API.

    Raises:
        ContenderError: when it did not start.
    """
    command = [sys.executable, "-m", "nightbench", "serve", "--port", "0", "--data", str(folder / "data")]
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(  # noqa: S603  # our own
            command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready = next((line for line in process.stdout if _LAST_WORD in line), None)
            if ready is None:
                raise ContenderError("nightbench serve did not start: " + (folder / "serve.log").read_text())
            yield ready.strip().partition(_LAST_WORD)[2]
        finally:
            process.terminate()
            process.wait(120)


def run_deployment(api: str, name: str, parameters: Mapping[str, Any]) -> dict[str, float]:
    """Run a deployment as the UI does; the seconds of its parts, from the click to the last state.

    `total`; `wait for the worker`, until it is submitted; `start of the run`, until its flow runs; and the time of the
    tasks by their names.

    Raises:
        ContenderError: when it did not run to its end.
    """
    deployment = _ask(api, f"/deployments/name/{name}/{name}")
    run = _ask(api, f"/deployments/{deployment['id']}/create_flow_run", {"parameters": dict(parameters)})
    deadline = time.monotonic() + _MOST_SECONDS
    while run["state_type"] not in _FINAL and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        run = _ask(api, f"/flow_runs/{run['id']}")
    if run["state_name"] not in _WHOLE:
        msg = f"the run of {name} ended as {run['state_name']}: {run['state'].get('message')}"
        raise ContenderError(msg)
    history = _ask(api, f"/flow_run_states/?flow_run_id={run['id']}")
    at = {state["name"]: _instant(state["timestamp"]) for state in reversed(history)}
    created = _instant(run["created"])
    return {
        "total": _instant(run["end_time"]) - created,
        "wait for the worker": at["Pending"] - created,
        "start of the run": at["Running"] - at["Pending"],
        **_tasks(api, _instant(run["start_time"]), _instant(run["end_time"])),
    }


def _tasks(api: str, begin: float, end: float) -> dict[str, float]:
    """The seconds of the tasks between two instants, by the name of the task, and of what comes before and after them."""
    every = _ask(api, "/task_runs/filter", {"limit": 200})
    mine = [task for task in every if task["start_time"] and begin <= _instant(task["start_time"]) <= end]
    seconds: defaultdict[str, float] = defaultdict(float)
    seconds["before the first task"] = min(_instant(task["start_time"]) for task in mine) - begin
    seconds["after the last task"] = end - max(_instant(task["end_time"]) for task in mine)
    for task in mine:
        if (
            task["state"]["state_details"]["child_flow_run_id"] is None
        ):  # else it stands for a flow and its tasks
            seconds[task["name"].rpartition("-")[0]] += task["total_run_time"]
    return dict(seconds)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _ask(api: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  # of our own server
        f"{api}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # as above
            return json.load(answer)
    except urllib.error.HTTPError as error:
        msg = f"{path}: {error.code} {error.read().decode(errors='replace')}"
        raise ContenderError(msg) from None
