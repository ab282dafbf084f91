"""What ``nightbench doctor`` asks a Prefect server; it changes nothing there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.in_process.environment import API_URL, check_reachable
from flows.serving.data_folder import name_of
from flows.serving.project import project_folder
from nightbench.doctor.finding import Finding
from nightbench.doctor.orchestration import (
    SERVER,
    Deployed,
    FlowRun,
    Pool,
    judge_deployments,
    judge_pool,
    judge_runs,
    judge_schedule,
    judge_slots,
    judge_versions,
)
from nightbench.errors import ConfigurationError
from nightbench.night_schedule import longest_minutes
from nightbench.scrub import stored_address
from nightbench.settings import Settings
from nightbench.tiers import NIGHTLY, tiers_of

SECONDS = 3.0
"""For all that is asked of a server that answers."""
_MOST = 200
_ANNOUNCED = 1000  # bytes
_HAND = "nights are run by hand: PREFECT_API_URL is not set, and no nightbench serve runs in"


def examine_prefect(settings: Settings, data: Path) -> Iterator[Finding]:
    """Look at the server of ``PREFECT_API_URL``, or at that of the ``nightbench serve`` whose folder is `data`.

    Raises:
        ConfigurationError: when ``PREFECT_API_URL`` is set and nothing answers there.
    """
    named = os.environ.get(API_URL)
    url = named or _served(data)
    if not url:
        yield SERVER.ok(
            f"not used, {_HAND} {data}; --data names another (nightbench serve runs them every night)"
        )
        return
    if named:
        check_reachable(url, way_out="start the server (nightbench serve), or unset it")
    yield from asyncio.run(_asked(url, settings))


def _served(data: Path) -> str | None:
    """Where a ``nightbench serve`` of this machine says that it is, when something answers there.

    Its lock is not tried: one that starts at this moment would take us for another.
    """
    with suppress(OSError, ConfigurationError):
        content = (data.expanduser() / f"{name_of(None)}.lock").read_bytes()[:_ANNOUNCED]
        place, _, url = content.decode(errors="replace").partition(" ")
        if place == "at" and url.startswith("http"):
            check_reachable(url)
            return url
    return None


async def _asked(url: str, settings: Settings) -> list[Finding]:
    from httpx import HTTPError  # noqa: PLC0415  # with the client
    from prefect.client.orchestration import get_client  # noqa: PLC0415  # takes a second: only for a server
    from prefect.settings import temporary_settings  # noqa: PLC0415

    with temporary_settings(updates={"api.url": url, "client.max_retries": 0}):
        try:
            async with asyncio.timeout(SECONDS), get_client() as client:
                return await _findings(_Server(client), url, settings)
        except TimeoutError:
            why = f"{stored_address(url)} answers, and not to all within {SECONDS:.0f} s"
            return [SERVER.failure(why, "see the server's log, or restart it")]
        except (HTTPError, ValueError, KeyError) as error:  # the last two of what is no JSON, or another's
            why = f"{stored_address(url)} answers, and not as a Prefect server does: {_answer(error)}"
            return [SERVER.failure(why, "mend PREFECT_API_URL, or what it wants, such as PREFECT_API_KEY")]


def _answer(error: Exception) -> str:
    response = getattr(error, "response", None)
    return type(error).__name__ if response is None else f"HTTP {response.status_code}"


class _Server:
    """A server, asked by hand: the client's own methods send nulls, which servers on some versions of FastAPI refuse."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, path: str) -> Any:
        """What lies at `path`; None where nothing does."""
        from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError  # noqa: PLC0415  # as above

        try:
            answer = await self._client.request("GET", path)
        except (ObjectNotFound, PrefectHTTPStatusError) as error:
            if isinstance(error, ObjectNotFound) or error.response.status_code == 404:
                return None
            raise
        return answer.json()

    async def all(self, path: str, **body: Any) -> list[dict[str, Any]]:
        """The rows that a filter gives."""
        answer = await self._client.request("POST", path, json={"limit": _MOST, **body})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found


async def _findings(server: _Server, url: str, settings: Settings) -> list[Finding]:
    now = datetime.now(UTC)
    wanted, pools = _wanted()
    there = {each["name"]: each for each in await server.all("/deployments/filter")}
    deployed = {name: _deployed(row) for name, row in there.items()}
    running = await _runs(server, {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}, "start_time")
    late = await _runs(server, {"name": {"any_": ["Late"]}}, "expected_start_time")
    limits = await server.all("/v2/concurrency_limits/filter")
    found = [
        judge_versions(
            stored_address(url), version("prefect"), await server.get("/admin/version") or "unknown"
        )
    ]
    for name in pools or sorted(
        {row["work_pool_name"] for row in there.values() if row.get("work_pool_name")}
    ):
        found += judge_pool(await _pool(server, name), now)
    found.append(judge_deployments(wanted, deployed))
    found.append(
        judge_schedule(
            wanted.get(NIGHTLY), deployed.get(NIGHTLY), await _next_run(server, there.get(NIGHTLY)), now
        )
    )
    longest = timedelta(minutes=longest_minutes(settings.tier(tier) for tier in tiers_of(NIGHTLY)))
    found += judge_runs(late, running, longest, now)
    found.append(judge_slots({row["name"]: row["active_slots"] for row in limits}, running))
    return found


def _wanted() -> tuple[dict[str, Deployed], Sequence[str]]:
    """The deployments and work pools of the project's file; none where there is no file that can be used."""
    from flows.serving.project_file import ProjectFile  # noqa: PLC0415  # as above

    try:
        project = ProjectFile.read(Path(project_folder()["directory"]) / "prefect.yaml")
    except ConfigurationError:
        return {}, ()
    wanted = {
        each.name: Deployed(
            each.version,
            each.entrypoint,
            crons=frozenset(schedule.cron for schedule in each.schedules if schedule.active is not False),
        )
        for each in project.deployments
    }
    return wanted, sorted({each.work_pool.name for each in project.deployments})


def _deployed(row: dict[str, Any]) -> Deployed:
    schedules = [each for each in row.get("schedules") or () if each.get("active")]
    crons = frozenset(_when(each["schedule"]) for each in schedules)
    return Deployed(row.get("version"), row.get("entrypoint"), bool(row.get("paused")), crons)


def _when(schedule: dict[str, Any]) -> str:
    return str(schedule.get("cron") or schedule.get("rrule") or f"every {schedule.get('interval')} s")


async def _pool(server: _Server, name: str) -> Pool:
    pool = await server.get(f"/work_pools/{name}")
    if pool is None:
        return Pool(name, there=False)
    workers = await server.all(f"/work_pools/{name}/workers/filter")
    beats = [beat for each in workers if (beat := _instant(each.get("last_heartbeat_time"))) is not None]
    online = sum(each.get("status") == "ONLINE" for each in workers)
    return Pool(
        name, there=True, paused=bool(pool["is_paused"]), online=online, heartbeat=max(beats, default=None)
    )


async def _runs(server: _Server, state: dict[str, Any], since: str) -> list[FlowRun]:
    rows = await server.all("/flow_runs/filter", flow_runs={"state": state})
    return [FlowRun(row["name"], _instant(row.get(since))) for row in rows]


async def _next_run(server: _Server, deployment: dict[str, Any] | None) -> datetime | None:
    if deployment is None:
        return None
    rows = await server.all(
        "/flow_runs/filter",
        flow_runs={
            "deployment_id": {"any_": [deployment["id"]]},
            "state": {"name": {"any_": ["Scheduled"]}},
        },
        sort="EXPECTED_START_TIME_ASC",
        limit=1,
    )
    return _instant(rows[0].get("expected_start_time")) if rows else None


def _instant(text: str | None) -> datetime | None:
    return None if not text else datetime.fromisoformat(text).astimezone(UTC)
