"""Runs that a killed ``nightbench serve`` has left as Running: nobody ends them, and they keep the next one waiting."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.states import Cancelled, Crashed

from flows.serving.worker_name import WORKER_NAME
from nightbench import settings
from nightbench.night_crash import Crash, tell_crash
from tasks.links import links_of

_MESSAGE = "The nightbench serve that ran it was killed, and it with it."
_UNDER_WAY = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)


async def end_lost_runs(client: PrefectClient, pool: str) -> list[str]:
    """End what is under way in `pool`, when nobody else's worker may be at it; the names of those runs.

    Whoever calls holds the lock of the server, so that no worker of ours lives.
    """
    workers = await _ask(client, f"/work_pools/{pool}/workers/filter")
    if any(each["status"] == "ONLINE" and each["name"] != WORKER_NAME for each in workers):
        return []
    runs = await _ask(
        client,
        "/flow_runs/filter",
        work_pools={"name": {"any_": [pool]}},
        flow_runs={"state": {"type": {"any_": [state.value for state in _UNDER_WAY]}}},
    )
    lost = [run for run in runs if not _lives(run["infrastructure_pid"])]
    for run in lost:
        cancelled = run["state_type"] == StateType.CANCELLING.value
        state: State[Any] = (Cancelled if cancelled else Crashed)(message=_MESSAGE)
        await client.set_flow_run_state(UUID(run["id"]), state, force=True)
        if not cancelled and run["parent_task_run_id"] is None:
            await _tell(client, UUID(run["id"]))
    return [run["name"] for run in lost]


async def _tell(client: PrefectClient, run_id: UUID) -> None:
    """By the alert that the hook for crashes would have made, which nobody was left to call."""
    run = await client.read_flow_run(run_id)
    crash = Crash((await client.read_flow(run.flow_id)).name, str(run_id), _MESSAGE, links_of(run))
    if lost := await asyncio.to_thread(tell_crash, settings.current(), crash):
        print(lost, file=sys.stderr)  # noqa: T201  # to the log of whoever calls


def _lives(pid: str | None) -> bool:
    """Whether a run outlived its worker, as it does when only that was killed: then it ends itself."""
    try:
        return "prefect.engine" in psutil.Process(int(pid or "")).cmdline()
    except (ValueError, psutil.Error):
        return False


async def _ask(client: PrefectClient, path: str, **body: Any) -> list[dict[str, Any]]:
    # by hand, since the client's own methods send nulls, which servers on some versions of FastAPI refuse
    response = await client.request("POST", path, json=body)  # type: ignore[arg-type]  # of the paths it knows
    response.raise_for_status()
    answer: list[dict[str, Any]] = response.json()
    return answer
