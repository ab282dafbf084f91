"""The capacity flow: the highest load that keeps the targets."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from flows.ending import ends_well
from flows.night import survive, the_night
from flows.states import capacity_state
from flows.subject import AskedSubject, subject_of
from nightbench import settings
from nightbench.blocks import Turn
from nightbench.capacity.answer import step_line
from nightbench.capacity.asked import (
    HIGHEST,
    MINUTES,
    PRECISION,
    SECONDS,
    START,
    TIER,
    AskedHighest,
    AskedMinutes,
    AskedPrecision,
    AskedSearch,
    AskedSeconds,
    AskedStart,
    AskedSuite,
    AskedTier,
)
from nightbench.capacity.finding import find_capacity
from nightbench.measurement import Measurement
from nightbench.plan import TierPlan
from nightbench.plan.asked import Asked, AskedRelease, AskedTargets, AskedUrl
from nightbench.planning import lone_shards, planned
from tasks.capacity import publish_capacity
from tasks.crashed import crashed
from tasks.measure import MEASURE
from tasks.record import record
from tasks.scrubbed import scrubbed


@flow(name="capacity", persist_result=False, on_crashed=[crashed])
@scrubbed
@ends_well
async def capacity(
    *,
    suite: AskedSuite = "websocket",
    url: AskedUrl = None,
    subject: AskedSubject = None,
    release: AskedRelease = None,
    start: AskedStart = START,
    highest: AskedHighest = HIGHEST,
    targets: AskedTargets = None,
    seconds: AskedSeconds = SECONDS,
    precision: AskedPrecision = PRECISION,
    minutes: AskedMinutes = MINUTES,
    tier: AskedTier = TIER,
) -> State[Any] | None:
    """The highest load that keeps the targets: steps up, then in between, then each side again."""
    asked = Asked(targets=targets)
    answers = AskedSearch(start=start, highest=highest, seconds=seconds, precision=precision, minutes=minutes)
    with subject_of(url, subject, asked, release=release):
        plan, warnings = planned(settings.current(), tier, asked.changes(), suites=(suite,))
        search = answers.of(plan, suite, prefix="parameter ")
        async with the_night("capacity", needs=frozenset({suite}), tells=()) as night:
            night.warn((*warnings, *lone_shards(night.settings, plan, (suite,))))

            async def measure(step: TierPlan, turn: Turn) -> Measurement:
                measurement = await MEASURE[suite](night, step, turn)
                await survive(night, record(night, measurement), tier, suite)
                return measurement

            logger = get_run_logger()
            found = await find_capacity(
                search,
                plan,
                suite,
                seconds=seconds,
                measure=measure,
                on_step=lambda step: logger.info(step_line(suite, step)),
                stopped=night.stop.is_set,
            )
            await survive(night, publish_capacity(found, environment=night.settings.environment), tier, suite)
    return capacity_state(found, night.outcome())
