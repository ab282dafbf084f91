"""How long one run of a suite should take, and the limit after which one that does not end is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from nightbench.errors import MeasurementError, NotBegunError
from nightbench.measurement import Measurement
from nightbench.plan import DatabasePlan, Suite, TierPlan, WebSocketPlan

_AROUND_A_RUN = 45.0
"""Seconds for what is made, checked, saved and judged around one run of a suite."""
_TIMES = 2.0
_BESIDE = 300.0
"""Seconds: a run may take so many times what it should, and so long beside that, before it hangs."""
GRACE_SECONDS = 120.0
"""What a run that hangs may take to end early, its rows removed, before it is given up."""

Run = Callable[[asyncio.Event], Awaitable[Measurement]]
"""A run of a suite, which ends early when the event is set."""


def seconds_of(plan: TierPlan, suite: Suite) -> float:
    """How long one run of a suite should take, with all that is made around it."""
    return _of_websocket(plan.websocket) if suite == "websocket" else _of_database(plan.database)


def limit_of(plan: TierPlan, suite: Suite) -> float:
    """Seconds after which one that has not ended hangs."""
    return _BESIDE + _TIMES * seconds_of(plan, suite)


async def limited(
    run: Run, stop: asyncio.Event, seconds: float, *, grace: float = GRACE_SECONDS
) -> Measurement:
    """The measurement of `run`, incomplete when it had to be ended after so many seconds.

    Args:
        run: What is to end.
        stop: When set, it ends early as well.
        seconds: Its limit.
        grace: How many more it has to end early.

    Raises:
        MeasurementError: when it did not even end early, or had not begun by then.
        NotBegunError: as raised by the run when `stop` was set.
    """
    why = f"it had not ended after {seconds:.0f} s, far more than its plan takes: it was ended"
    ending = asyncio.Event()

    async def end() -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        ending.set()
        return not stop.is_set()

    watching = asyncio.create_task(end())
    try:
        async with asyncio.timeout(seconds + grace) as last:
            measurement = await run(ending)
    except TimeoutError:
        if last.expired():
            raise MeasurementError(why) from None
        raise
    except NotBegunError:
        if not stop.is_set():
            raise MeasurementError(why) from None
        raise
    finally:
        watching.cancel()
    if not watching.done() or not watching.result():
        return measurement
    return replace(measurement, validity=replace(measurement.validity.but(why), complete=False))


def _of_websocket(plan: WebSocketPlan) -> float:
    drain = max(plan.timeout, plan.connect_timeout)
    return plan.ramp_seconds + plan.warmup + plan.duration + drain + _AROUND_A_RUN


def _of_database(plan: DatabasePlan) -> float:
    rate = plan.queries_per_second
    if plan.model == "closed" and plan.think:
        rate = min(rate, plan.workers / plan.think)
    return plan.warmup + plan.queries / rate + plan.statement_timeout + _AROUND_A_RUN
