"""Flow runs of `nightbench serve`'s worker: each in one interpreter, which is started before there is a run.

Prefect's own worker starts two, one after the other: the first takes the pull steps of the deployment and becomes
the second by `exec`. For a deployment of this project, whose only step names the folder that the worker knows, there
is nothing to take. Any other is left to Prefect.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.runner import _workspace_runtime_bootstrap
from prefect.runner._control_channel import ControlChannel
from prefect.runner._process_manager import ProcessHandle, create_isolated_termination_scope
from prefect.runner._workspace_runtime import PreparedWorkspaceManifest, write_private_model
from prefect.runner._workspace_starter import WorkspaceResolvingEngineCommandStarter
from prefect.settings import get_current_settings

from flows.serving.project import project_folder

_STEPS: list[dict[str, Any]] = [{f"{project_folder.__module__}.{project_folder.__name__}": {}}]
_OF_A_RUN = "PREFECT__"
"""Begins the names of what is another in the environment of each run; nothing reads those while it is imported."""
_CODE = ("flows", "tasks", "nightbench")
_HOOKS = [sys.executable, str(_workspace_runtime_bootstrap.__file__), "hook"]
_COMMAND = [sys.executable, "-m", "flows.serving.run_process", "prefect.engine"]

Environment = Mapping[str, str]


@dataclass(frozen=True)
class _Imported:
    """What a process imports, which may have read the environment, and from which files of this project."""

    environment: Environment
    files: frozenset[tuple[Path, int]]


class Ahead:
    """The process of the next run, if it has been started."""

    def __init__(self) -> None:
        self._environment: Environment = _of_all_runs(_common({}))
        self._process: anyio.abc.Process | None = None
        self._imported: _Imported | None = None
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Start it, for a run with the environment of the last one; where that fails, the run will tell."""
        with suppress(Exception):  # of the run that has just ended it takes nothing away
            async with self._one_at_a_time:
                await self._started()

    async def take(self, environment: Environment) -> anyio.abc.Process:
        """The process of a run with this environment: the one ahead, unless that is for another, or of older code."""
        async with self._one_at_a_time:
            self._environment = _of_all_runs(environment)
            process = await self._started()
            self._process = None
        assert process.stdin is not None
        # or else it has ended, as its exit code tells
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await process.stdin.send(f"{json.dumps(dict(environment))}\n".encode())
        return process

    async def _started(self) -> anyio.abc.Process:
        imported = _Imported(self._environment, _files())
        process = self._process
        if process is not None and process.returncode is None:
            if imported == self._imported:
                return process
            process.kill()  # it holds nothing
            await process.aclose()
        self._process = process = await anyio.open_process(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=None,  # the worker's own, as Prefect copies it
            stderr=None,
            env=self._environment,
            cwd=project_folder()["directory"],
            start_new_session=True,
        )
        self._imported = imported
        return process


class RunStarter(WorkspaceResolvingEngineCommandStarter):
    """Starts a flow run in the process that is ahead; stands in the place of Prefect's own."""

    def __init__(self, ahead: Ahead, **given: Any) -> None:
        super().__init__(**given)
        self._ahead = ahead

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start it, and wait for its end; `task_status` is told the process."""
        entrypoint = await _own_entrypoint(flow_run)
        if entrypoint is None or not self._stream_output:
            await super().start(flow_run, task_status=task_status)
            return
        folder = Path(project_folder()["directory"])
        environment = {
            **_common(self._environment),
            "PREFECT__FLOW_RUN_ID": str(flow_run.id),
            "PREFECT__FLOW_ENTRYPOINT": entrypoint,
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",  # the worker's, in a process of their own
        }
        manifest = PreparedWorkspaceManifest(
            working_directory=folder,
            runtime_entrypoint=entrypoint,
            hook_command=_HOOKS,
            environment=environment,
        )
        write_private_model(self._manifest_path, manifest)
        channel = self._control_channel
        process = await self._ahead.take(environment | _control(channel, flow_run))
        async with process:
            scope = create_isolated_termination_scope(process.pid)
            task_status.started(ProcessHandle(process, termination_scope=scope))
            await process.wait()


async def _own_entrypoint(flow_run: FlowRun) -> str | None:
    """Where the flow of a deployment of this project lies in it; None for that of others."""
    if flow_run.deployment_id is None:
        return None
    async with get_client() as client:
        deployment = await client.read_deployment(flow_run.deployment_id)
    return deployment.entrypoint if deployment.pull_steps == _STEPS else None


def _control(channel: ControlChannel | None, flow_run: FlowRun) -> dict[str, str]:
    """How a run hears that it is to be cancelled; without any it is only killed."""
    if channel is None:
        return {}
    try:
        port, token = channel.register(flow_run.id)
    except RuntimeError:  # no port to be had
        return {}
    return {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}


def _common(given: Mapping[str, str | None]) -> dict[str, str]:
    """The environment of a run: the worker's with its settings, and what is `given` for that run; its code comes first."""
    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    whole = {**os.environ, **settings, **given}
    folder, path = project_folder()["directory"], whole.get("PYTHONPATH")
    entries = [folder, *(each for each in (path or "").split(os.pathsep) if each not in ("", folder))]
    whole["PYTHONPATH"] = os.pathsep.join(entries)
    return {name: value for name, value in whole.items() if value is not None}


def _of_all_runs(environment: Environment) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_OF_A_RUN)}


def _files() -> frozenset[tuple[Path, int]]:
    """The code of this project, each file with when it was changed."""
    project, files = Path(project_folder()["directory"]), set()
    for file in (file for package in _CODE for file in (project / package).rglob("*.py")):
        with suppress(OSError):  # it is going, just now
            files.add((file, file.stat().st_mtime_ns))
    return frozenset(files)
