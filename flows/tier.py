"""What every flow is made of: the begin and end of a night, and the body that the tier flows share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Failed

from nightbench import settings
from nightbench.blocks import Course, Turn, blocks_of, reruns_of, suspects_of
from nightbench.errors import ConfigurationError, ExitCode, NotBegunError
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.outcome import NightOutcome
from nightbench.plan import Suite, Tier, TierChanges, TierPlan
from nightbench.planning import planned
from nightbench.report.log_lines import logged_progress
from nightbench.running import open_night, running_night
from tasks.alert import alert, deliver_alerts
from tasks.judge import judge
from tasks.links import current_run, links_of
from tasks.measure_database import measure_database
from tasks.measure_websocket import measure_websocket
from tasks.publish import publish
from tasks.record import record
from tasks.scrubbed_logs import scrub_logs

T = TypeVar("T")

scrub_logs()  # as soon as there is a flow: what is wrong with its parameters is logged before it begins

_STEPS: Mapping[Suite, Callable[[Night, TierPlan, Turn], Awaitable[Measurement]]] = {
    "websocket": measure_websocket,
    "database": measure_database,
}
"""What measures each suite."""

TARGET_MISSED = "TargetMissed"
REGRESSION = "Regression"
INVALID = "Invalid"
OUTCOMES = frozenset({TARGET_MISSED, REGRESSION, INVALID})
"""Final states that tell of what was measured: the flow itself did what it should."""


async def run_tier(tier: Tier, changes: TierChanges, *, quick: bool) -> State[Any] | None:
    """Measure, record, judge and alert one tier; return the failed state that it deserves, if any.

    A tier that is a night by itself answers for all of it, a part of a night for its own.
    """
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
    """The blocks of both suites, and the judgement of what there is; what is suspect is repeated and judged again."""
    await _take(night, plan, blocks_of(plan))
    verdicts = await survive(night, judge(night, plan.tier), plan.tier)
    if again := reruns_of(plan, suspects_of(verdicts or ())):
        await _take(night, plan, again)
        await survive(night, judge(night, plan.tier), plan.tier)


async def _take(night: Night, plan: TierPlan, turns: Sequence[Turn]) -> None:
    """Each of `turns`, on the disk before the next begins."""
    course = Course(turns)
    while (turn := course.next(stopped=night.stop.is_set())) is not None:
        try:
            measurement = await survive(night, _STEPS[turn.suite](night, plan, turn), plan.tier, turn.suite)
        except NotBegunError:
            course.skip(turn)
            continue
        if measurement is None:
            course.broke(turn.suite)
        else:
            await survive(night, record(night, measurement), plan.tier, turn.suite)
    night.skipped(course.skipped(plan.tier))


@asynccontextmanager
async def the_night(name: str) -> AsyncIterator[Night]:
    """The night that this flow is a part of, or one of its own: whoever begins it also ends it.

    At the end the alerts are delivered and the summary is published.
    """
    scrub_logs()
    async with AsyncExitStack() as stack:
        night = running_night()
        if night is None:
            logger = get_run_logger()
            display = partial(logged_progress, logger)
            # an end from outside, such as a kill, is told by the hook for crashes: once, whoever sees it
            own = open_night(
                name, settings.current(), display=display, on_note=logger.warning, told=Exception
            )
            night = await stack.enter_async_context(own)
            await stack.enter_async_context(night.provided())
        if night.owner is not None:
            yield night
            return
        night.owner = name
        night.links |= links_of(current_run())
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
            missed = any(verdict.state == "missed" for verdict in outcome.verdicts)
            name = TARGET_MISSED if missed else REGRESSION
        case _:
            name = INVALID
    return Failed(name=name, message="\n".join(outcome.shortcomings))
