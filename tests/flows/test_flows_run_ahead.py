"""The process of a run that is started before there is one: whose it becomes, with which environment, and whose not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import psutil
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.runner._workspace_runtime import PreparedWorkspaceManifest, read_model
from prefect.runner._workspace_starter import WorkspaceResolvingEngineCommandStarter

from flows.serving import run_ahead
from flows.serving.run_ahead import Ahead, RunStarter, _common

WAITING = "import sys; sys.exit(len(sys.stdin.readline()) > 0)"
"""In the place of a run: it waits for its line, and ends with 1 when it had one."""
CHILD = "from flows.serving import run_process; run_process.AHEAD = (); run_process.main('program')"
PROGRAM = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv, sys.stdin.read(), __name__]))"
OURS = [{"flows.serving.project.project_folder": {}}]


def _child(folder, line):
    (folder / "program.py").write_text(PROGRAM)
    environment = {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "OF_THE_START": "yes"}
    return subprocess.run(
        [sys.executable, "-c", CHILD],
        input=line,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_it_becomes_the_program_with_the_environment_of_the_run_and_no_other(tmp_path):
    given = {"PREFECT__FLOW_RUN_ID": "of a run", "LINES": "a\nb"}
    environment, argv, read, name = json.loads(_child(tmp_path, json.dumps(given) + "\n"))
    assert {key: value for key, value in environment.items() if not key.startswith("LC_")} == given
    assert (argv[0].endswith("program.py"), read, name) == (True, "", "__main__")


def test_it_ends_without_a_run_when_nobody_is_left_to_give_it_one(tmp_path):
    assert _child(tmp_path, "") == ""


@pytest.fixture
def light(monkeypatch):
    """Processes that import nothing."""
    monkeypatch.setattr(run_ahead, "_COMMAND", [sys.executable, "-ISc", WAITING])


def _environment(**more):
    return {**_common({}), **more}


async def _taken(ahead, **more):
    process = await ahead.take(_environment(**more))
    return process.pid, await process.wait()


def test_the_run_with_the_environment_of_the_last_one_has_the_process_that_is_ahead(light):
    async def main():
        ahead = Ahead()
        await ahead.start()
        first = ahead._process.pid
        assert await _taken(ahead, PREFECT__FLOW_RUN_ID="1") == (first, 1)
        assert await _taken(ahead, MORE="of its own") != (first, 1)
        await ahead.start()
        second = ahead._process.pid
        assert await _taken(ahead, MORE="of its own", PREFECT__FLOW_RUN_ID="2") == (second, 1)

    asyncio.run(main())


def test_a_run_with_another_environment_has_a_process_of_its_own_and_none_is_left_waiting(light):
    async def main():
        ahead = Ahead()
        await ahead.start()
        waiting = ahead._process
        pid, code = await _taken(ahead, NIGHTBENCH_RESULTS="/elsewhere")
        assert (pid != waiting.pid, code) == (True, 1)
        assert waiting.returncode == -signal.SIGKILL

    asyncio.run(main())


def test_a_run_has_the_code_that_is_on_the_disk_when_it_begins(light, monkeypatch, tmp_path):
    (tmp_path / "flows").mkdir()
    code = tmp_path / "flows" / "night.py"
    code.write_text("")
    monkeypatch.setattr(run_ahead, "project_folder", lambda: {"directory": str(tmp_path)})

    async def main():
        ahead = Ahead()
        await ahead.start()
        older = ahead._process
        os.utime(code, (1, 1))
        assert (await _taken(ahead))[0] != older.pid
        assert older.returncode == -signal.SIGKILL

    asyncio.run(main())


def test_a_process_that_has_died_while_it_waited_is_no_run_s(light):
    async def main():
        ahead = Ahead()
        await ahead.start()
        died = ahead._process
        psutil.Process(died.pid).kill()
        await died.wait()
        pid, code = await _taken(ahead)
        assert (pid != died.pid, code) == (True, 1)

    asyncio.run(main())


class Told(asyncio.Future):
    """In the place of what is told that a run has started."""

    def started(self, handle):
        self.set_result(handle)


async def _start(monkeypatch, tmp_path, steps, **given):
    """Start a run of a deployment with these pull steps; the starter, and whether Prefect's own had to do it."""
    deployment = SimpleNamespace(entrypoint="flows/quick.py:quick", pull_steps=steps)
    left = []

    @asynccontextmanager
    async def client():
        async def read_deployment(_id):
            return deployment

        yield SimpleNamespace(read_deployment=read_deployment)

    async def prefects(_self, flow_run, task_status):
        left.append(flow_run)

    monkeypatch.setattr(run_ahead, "get_client", client)
    monkeypatch.setattr(WorkspaceResolvingEngineCommandStarter, "start", prefects)
    starter = RunStarter(Ahead(), workspace_root=tmp_path, **given)
    told = Told()
    run = FlowRun(id=uuid4(), flow_id=uuid4(), deployment_id=uuid4())
    await starter.start(run, task_status=told)
    return SimpleNamespace(starter=starter, run=run, handle=told.result() if told.done() else None, left=left)


def test_a_run_of_this_project_is_one_process_and_its_hooks_have_its_environment(
    light, monkeypatch, tmp_path
):
    started = asyncio.run(
        _start(monkeypatch, tmp_path, OURS, environment={"NIGHTBENCH_RESULTS": "/its own", "GONE": None})
    )
    assert started.left == []
    assert started.handle.returncode == 1
    manifest = read_model(started.starter._manifest_path, PreparedWorkspaceManifest)
    assert manifest.runtime_entrypoint == "flows/quick.py:quick"
    assert manifest.environment["NIGHTBENCH_RESULTS"] == "/its own"
    assert manifest.environment["PREFECT__FLOW_RUN_ID"] == str(started.run.id)
    assert "GONE" not in manifest.environment
    started.starter.close()


@pytest.mark.parametrize("steps", [None, [], [*OURS, {"prefect.deployments.steps.git_clone": {}}]])
def test_a_deployment_with_other_steps_is_left_to_prefect(light, monkeypatch, tmp_path, steps):
    started = asyncio.run(_start(monkeypatch, tmp_path, steps))
    assert (started.handle, started.left) == (None, [started.run])
    started.starter.close()
