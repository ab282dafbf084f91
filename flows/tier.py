"""What every flow is made of: the begin and end of a night, and the body that the tier flows share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Failed

from nightbench import settings
from nightbench.errors import ConfigurationError, ExitCode, NotBegunError
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.outcome import NightOutcome
from nightbench.plan import DatabaseChanges, Suite, Tier, TierChanges, TierPlan, WebSocketChanges
from nightbench.planning import planned
from nightbench.report.log_lines import logged_progress
from nightbench.running import open_night, running_night
from tasks.alert import alert, deliver_alerts
from tasks.judge import judge
from tasks.measure_database import measure_database
from tasks.measure_websocket import measure_websocket
from tasks.publish import publish
from tasks.record import record

T = TypeVar("T")

_STEPS: Mapping[Suite, Callable[[Night, TierPlan], Awaitable[Measurement]]] = {
    "websocket": measure_websocket,
    "database": measure_database,
}
"""What measures each suite, in the order of measuring."""

TARGET_MISSED = "TargetMissed"
INVALID = "Invalid"


async def run_tier(
    tier: Tier, websocket: WebSocketChanges | None, database: DatabaseChanges | None, *, quick: bool
) -> State[Any] | None:
    """Measure, record, judge and alert one tier; return the failed state that it deserves, if any.

    A tier that is a night by itself answers for all of it, a part of a night for its own.
    """
    changes = TierChanges(websocket=websocket or WebSocketChanges(), database=database or DatabaseChanges())
    async with the_night(tier) as night:
        try:
            plan, warnings = planned(night.settings, tier, changes, quick=quick)
        except ConfigurationError as error:
            night.failed(tier, None, error)
        else:
            night.warn(warnings)
            await _suites(night, plan)
        await survive(night, alert(night), tier)
    outcome = night.outcome()
    return failed_state(outcome if night.owner == tier else outcome.of_tier(tier))


async def _suites(night: Night, plan: TierPlan) -> None:
    """Both suites, each on the disk before the next begins; then the judgement of what there is."""
    tier = plan.tier
    measured: list[Measurement] = []
    for suite, measure in _STEPS.items():
        if night.stop.is_set():
            night.skipped(tier, suite)
            continue
        try:
            measurement = await survive(night, measure(night, plan), tier, suite)
        except NotBegunError:
            night.skipped(tier, suite)
            continue
        if measurement is not None:
            measured.append(measurement)
            await survive(night, record(night, measurement), tier, suite)
    for measurement in measured:
        await survive(night, judge(night, measurement), tier, measurement.suite)


@asynccontextmanager
async def the_night(name: str) -> AsyncIterator[Night]:
    """The night that this flow is a part of, or one of its own: whoever begins it also ends it.

    At the end the alerts are delivered and the summary is published.
    """
    async with AsyncExitStack() as stack:
        night = running_night()
        if night is None:
            logger = get_run_logger()
            display = partial(logged_progress, logger)
            own = open_night(name, settings.current(), display=display, on_note=logger.warning)
            night = await stack.enter_async_context(own)
            await stack.enter_async_context(night.provided())
        if night.owner is not None:
            yield night
            return
        night.owner = name
        yield night
        for step in (alert, deliver_alerts):
            await survive(night, step(night))
        try:
            await publish(night)
        except Exception as error:  # noqa: BLE001  # whatever it is, the night was as good without it
            night.unimportant("the summary could not be published", error)


async def survive(
    night: Night, step: Awaitable[T], tier: Tier | None = None, suite: Suite | None = None
) -> T | None:
    """Await a step; when it raises, the night has that as a failure, and goes on.

    Raises:
        NotBegunError: as raised by the step, which is no failure.
    """
    try:
        return await step
    except NotBegunError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, the rest of the night is still worth having
        night.failed(tier, suite, error)
        return None


def failed_state(outcome: NightOutcome) -> State[Any] | None:
    """The final state of a flow whose outcome is no pass; None for a pass."""
    match outcome.exit_code:
        case ExitCode.MET:
            return None
        case ExitCode.MISSED:
            name = TARGET_MISSED
        case _:
            name = INVALID
    return Failed(name=name, message="\n".join(outcome.shortcomings))
