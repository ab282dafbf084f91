"""A run of a suite that does not end by itself, and a task that is told to."""

from __future__ import annotations

import asyncio

import pytest
from builders import invalidated, websocket_measurement

from nightbench.ending import Ending
from nightbench.errors import MeasurementError, NotBegunError
from nightbench.run_length import limit_of, limited, seconds_of
from nightbench.tiers import TIERS

MEASURED = websocket_measurement()


async def at_once(_stop):
    return MEASURED


async def until_stopped(stop):
    await stop.wait()
    return invalidated(MEASURED, complete=False)


async def never(_stop):
    await asyncio.Event().wait()
    return MEASURED


async def not_begun(stop):
    await stop.wait()
    raise NotBegunError


async def stopped_by_user(run, seconds=60.0):
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    return await limited(run, stop, seconds)


def test_a_run_that_ends_is_what_it_is():
    assert asyncio.run(limited(at_once, asyncio.Event(), 60)) is MEASURED


def test_a_run_that_hangs_is_ended_and_incomplete_with_the_reason():
    measurement = asyncio.run(limited(until_stopped, asyncio.Event(), 0.01))

    assert not measurement.validity.complete
    assert any("had not ended after 0 s" in reason for reason in measurement.validity.reasons)


@pytest.mark.parametrize("run", [never, not_begun])
def test_a_run_that_does_not_even_end_early_is_a_failure(run):
    with pytest.raises(MeasurementError, match="had not ended after 0 s"):
        asyncio.run(limited(run, asyncio.Event(), 0.01, grace=0.01))


def test_a_run_that_the_user_ends_is_not_said_to_hang():
    reasons = asyncio.run(stopped_by_user(until_stopped)).validity.reasons
    assert not any("had not ended" in reason for reason in reasons)
    with pytest.raises(NotBegunError):
        asyncio.run(stopped_by_user(not_begun))


def test_a_run_is_cancelled_with_its_caller():
    async def cancelled():
        running = asyncio.create_task(limited(never, asyncio.Event(), 60))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running], timeout=10)
        return running.cancelled(), len(asyncio.all_tasks())

    assert asyncio.run(cancelled()) == (True, 1)


@pytest.mark.parametrize("suite", ["websocket", "database"])
@pytest.mark.parametrize("tier", TIERS.values(), ids=TIERS)
def test_the_limit_is_far_above_what_a_plan_takes(tier, suite):
    assert limit_of(tier, suite) > 2 * seconds_of(tier, suite)


async def told(times, limit=None):
    ending = None

    async def work():
        nonlocal ending
        ending = Ending(asyncio.Event(), limit=limit)
        for _ in range(times):
            ending.tell()
        try:
            await asyncio.sleep(0 if limit is None else 10)
        except asyncio.CancelledError:
            return "at once"
        finally:
            ending.close()
        return "early" if ending.stop.is_set() else "whole"

    return await asyncio.create_task(work())


@pytest.mark.parametrize(
    ("times", "limit", "how"),
    [
        (0, None, "whole"),
        (1, None, "early"),
        (2, None, "at once"),
        (3, None, "at once"),
        (1, 0.01, "at once"),
    ],
)
def test_the_first_word_ends_early_and_the_second_or_the_limit_at_once(times, limit, how):
    assert asyncio.run(told(times, limit)) == how
