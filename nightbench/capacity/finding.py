"""Trying load after load until the search has its answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from nightbench.blocks import Turn
from nightbench.capacity.search import Capacity, Next, SearchPlan, Step, next_step
from nightbench.capacity.step_plan import plan_at
from nightbench.errors import MeasurementError, NotBegunError
from nightbench.measurement import Measurement
from nightbench.plan import Suite, TierPlan
from nightbench.report.overview import MAIN
from nightbench.report.promises import missed_in_words
from nightbench.verdict.targets import LEAKED_ROWS, judge_targets, leaked

Measure = Callable[[TierPlan, Turn], Awaitable[Measurement]]
OnStep = Callable[[Next, Step], None]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        suite: Which was loaded.
        answer: None when it was interrupted before there was one.
        steps: Those that were tried, in order.
    """

    suite: Suite
    answer: Capacity | None
    steps: tuple[Step, ...]


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
    """Try what `search` asks for until it has its answer; an interrupted step ends it without one.

    Args:
        search: Where to search.
        plan: Of a tier; its targets are to be kept.
        suite: Which is loaded.
        seconds: Of the measure phase of each step.
        measure: Runs one step, and keeps it.
        on_step: Told of each, and why it was tried.
        stopped: Whether it was interrupted.
        clock: Seconds.

    Raises:
        ConfigurationError: when the subject cannot be loaded.
    """
    steps: list[Step] = []
    while isinstance(due := next_step(search, steps), Next):
        if stopped():
            return Found(suite, None, tuple(steps))
        began = clock()
        turn = Turn(suite, "capacity", len(steps) + 1)
        try:
            measurement = await measure(plan_at(plan, suite, due.load, seconds=seconds), turn)
        except NotBegunError:
            return Found(suite, None, tuple(steps))
        except MeasurementError as error:
            step = Step(due.load, "invalid", clock() - began, (str(error),))
        else:
            if stopped():
                return Found(suite, None, tuple(steps))
            step = step_of(measurement, due.load, seconds=clock() - began)
        steps.append(step)
        on_step(due, step)
    return Found(suite, due, tuple(steps))


def step_of(measurement: Measurement, load: int, *, seconds: float) -> Step:
    """What a measurement says of its load; a row of another tenant is a miss, whatever else was."""
    main = MAIN[measurement.suite]
    step = Step(
        load,
        "met",
        seconds,
        p95_ms=measurement.value(f"{main}.response_time.p95"),
        success=measurement.value(f"{main}.success_rate"),
    )
    units = {metric.name: metric.unit for metric in measurement.metrics}
    targets = judge_targets(measurement.plan.promises, measurement)
    missed = [target for target in targets if not target.met]
    broke = tuple(target.metric for target in missed)
    reasons = tuple(missed_in_words(target, units.get(target.metric, "")) for target in missed)
    if leaked(measurement):
        reasons = reasons or ("rows of other tenants were read",)
        return replace(step, result="missed", reasons=reasons, broke=broke or (LEAKED_ROWS,))
    if not measurement.validity.valid:
        return replace(step, result="invalid", reasons=measurement.validity.reasons)
    return replace(step, result="missed", reasons=reasons, broke=broke) if missed else step
