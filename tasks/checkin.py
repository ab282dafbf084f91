"""Steps: Sentry's monitor is told that the nightly flow begins, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.logging import get_run_logger

from nightbench import settings as settings_module
from nightbench.night import OnNote
from nightbench.night_checkins import NightCheckIns, dsn_of_monitor
from nightbench.night_schedule import Entries, monitor_of, project_schedules
from nightbench.plan import Tier, TierChanges
from nightbench.running import running_night
from nightbench.scrub import scrub
from nightbench.settings import Settings
from tasks.links import current_run
from tasks.scrubbed import scrubbed


@task(name="check in", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def check_in(check_ins: NightCheckIns) -> str:
    """Tell that the night begins; return why that failed, or an empty text."""
    return await asyncio.to_thread(check_ins.begin)


@task(name="check out", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def check_out(check_ins: NightCheckIns) -> str:
    """Tell how it ended; return why that failed, or an empty text."""
    return await asyncio.to_thread(check_ins.end)


@asynccontextmanager
async def checked_in(
    changes: Mapping[Tier, TierChanges | None],
) -> AsyncIterator[NightCheckIns]:
    """Check in at the begin of the block and at its end, where nights are due; no failure of that is one of the night.

    A block that is cancelled or killed does not check in at its end: the hook for crashes does, or else the
    monitor's own limit ends it.

    Raises:
        ConfigurationError: when the settings cannot be used.
    """
    settings = settings_module.current()
    night = running_night()
    note = get_run_logger().warning if night is None else night.on_note
    check_ins = await _check_ins(settings, changes, note)
    await _tell(check_in, check_ins, note)
    try:
        yield check_ins
    except Exception:
        await _tell(check_out, check_ins, note)
        raise
    await _tell(check_out, check_ins, note)


async def _check_ins(
    settings: Settings, changes: Mapping[Tier, TierChanges | None], note: OnNote
) -> NightCheckIns:
    run, nobody = current_run(), NightCheckIns(settings, "", None)
    if run is None or dsn_of_monitor(settings) is None:
        return nobody
    try:
        monitor = monitor_of(await _schedules(run), settings, changes)
    except Exception as error:  # noqa: BLE001  # whatever it is, the night is worth having
        note(scrub(f"no check-in: {error}"))
        return nobody
    return NightCheckIns(settings, str(run.id), monitor)


async def _schedules(run: FlowRun) -> Entries:
    """The schedules of the deployment that this run is one of; else those that ``prefect.yaml`` would give it.

    A deployment's own, since those are what starts the nights: they were made of the file, and may have been
    changed or paused since.
    """
    if run.deployment_id is None:
        return project_schedules()
    async with get_client() as client:
        deployment = await client.read_deployment(run.deployment_id)
    if deployment.paused:
        return ()
    return [{**each.schedule.model_dump(), "active": each.active} for each in deployment.schedules]


async def _tell(
    step: Callable[[NightCheckIns], Awaitable[str]], check_ins: NightCheckIns, note: OnNote
) -> None:
    if check_ins.monitor is None:
        return
    try:
        problem = await step(check_ins)
    except Exception as error:  # noqa: BLE001  # as above
        problem = scrub(f"no check-in: {error}")
    if problem:
        note(problem)
