"""Trying load after load until the search has its answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from nightbench.alerts.failure import reason_of
from nightbench.blocks import Turn
from nightbench.capacity.search import Capacity, Next, SearchPlan, Step, next_step, so_far
from nightbench.capacity.step_plan import plan_at, promises_at
from nightbench.capacity.step_result import step_of
from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.measurement import Measurement
from nightbench.plan import Suite, Tier, TierPlan
from nightbench.target import Target

Measure = Callable[[TierPlan, Turn], Awaitable[Measurement]]
OnStep = Callable[[Step], None]

INTERRUPTED = "it was interrupted"


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        suite: Which was loaded.
        tier: Whose plan and targets each step had.
        targets: Those that were to be kept, as they are at the load of the answer.
        answer: What is known of the highest load; of an interrupted search, what was known by then.
        steps: Those that were tried, in order.
        interrupted: Whether it was told to end before it had its answer.
    """

    suite: Suite
    tier: Tier
    targets: tuple[Target, ...]
    answer: Capacity
    steps: tuple[Step, ...]
    interrupted: bool = False


async def find_capacity(
    search: SearchPlan,
    plan: TierPlan,
    suite: Suite,
    *,
    seconds: float,
    measure: Measure,
    on_step: OnStep,
    stopped: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Try what `search` asks for until it has its answer; a step that is interrupted ends it with what is known.

    A subject that cannot be loaded any more, once it has been, counts as a step that gave no measurement.

    Args:
        search: Where to search.
        plan: Of a tier; its targets are to be kept.
        suite: Which is loaded.
        seconds: Of the measure phase of each step.
        measure: Runs one step, and keeps it.
        on_step: Told of each.
        stopped: Whether it was interrupted.
        clock: Seconds.

    Raises:
        ConfigurationError: when the subject cannot be loaded at all.
        NotBegunError: when it was interrupted before its first load began.
    """
    steps: list[Step] = []
    while isinstance(due := next_step(search, steps), Next):
        try:
            step = await _tried(
                due, plan, suite, steps, seconds=seconds, measure=measure, stopped=stopped, clock=clock
            )
        except _EndedError:
            return _found(suite, plan, search, so_far(steps, INTERRUPTED), steps, interrupted=True)
        steps.append(step)
        on_step(step)
    return _found(suite, plan, search, due, steps)


class _EndedError(Exception):
    """The search was told to end, and there is no step to count."""


async def _tried(
    due: Next,
    plan: TierPlan,
    suite: Suite,
    before: Sequence[Step],
    *,
    seconds: float,
    measure: Measure,
    stopped: Callable[[], bool],
    clock: Callable[[], float],
) -> Step:
    if stopped():
        raise _EndedError if before else NotBegunError
    began = clock()
    try:
        measurement = await measure(
            plan_at(plan, suite, due.load, seconds=seconds), Turn(suite, "capacity", len(before) + 1)
        )
    except NotBegunError:
        if not before:
            raise
        raise _EndedError from None
    except (MeasurementError, ConfigurationError) as error:
        if isinstance(error, ConfigurationError) and not before:
            raise
        return Step(due.load, "invalid", clock() - began, (reason_of(error),), why=due.why)
    if stopped() and not measurement.validity.complete:
        raise _EndedError
    return replace(step_of(measurement, due.load, seconds=clock() - began), why=due.why)


def _found(
    suite: Suite,
    plan: TierPlan,
    search: SearchPlan,
    answer: Capacity,
    steps: Sequence[Step],
    *,
    interrupted: bool = False,
) -> Found:
    """The targets that follow the load, such as that all users connect, are those of the answer."""
    load = answer.load or answer.below or search.start
    return Found(suite, plan.tier, promises_at(plan, suite, load), answer, tuple(steps), interrupted)
