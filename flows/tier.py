"""The body that the tier flows share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State

from flows.night import survive, the_night
from flows.states import failed_state
from nightbench import settings
from nightbench.blocks import Course, Turn, blocks_of, reruns_of, suspects_of
from nightbench.errors import ConfigurationError, NotBegunError
from nightbench.night import Night
from nightbench.plan import Tier, TierChanges, TierPlan
from nightbench.planning import lone_shards, planned
from nightbench.running import running_night
from tasks.alert import alert
from tasks.judge import judge
from tasks.measure import MEASURE
from tasks.record import record


async def run_tier(tier: Tier, changes: TierChanges, *, quick: bool) -> State[Any] | None:
    """Measure, record, judge and alert one tier; return the failed state that it deserves, if any.

    A tier that is a night by itself answers for all of it, a part of a night for its own.

    Raises:
        ConfigurationError: when the plan of one by itself cannot be used, before anything is waited for.
    """
    if running_night() is None:
        planned(settings.current(), tier, changes, quick=quick)
    async with the_night(tier) as night:
        try:
            plan, warnings = planned(night.settings, tier, changes, quick=quick)
        except ConfigurationError as error:
            night.failed(tier, None, error)
        else:
            night.warn((*warnings, *lone_shards(night.settings, plan)))
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
            measurement = await survive(night, MEASURE[turn.suite](night, plan, turn), plan.tier, turn.suite)
        except NotBegunError:
            course.skip(turn)
            continue
        if measurement is None:
            course.broke(turn.suite)
        else:
            await survive(night, record(night, measurement), plan.tier, turn.suite)
    night.skipped(course.skipped(plan.tier))
