"""What an alarm is worth and what it costs: finer than a timer of the loop, and hardly any work."""

import asyncio
import gc
import statistics

import uvloop
from test_load_alarm import MS, Rings, now
from waiting import until


def test_it_is_finer_than_the_timer_of_the_loop():
    """The median lateness of an alarm beside that of a sleep, in a round in which nobody else is at work here."""

    async def one_round():
        rings, of_alarm, of_sleep = Rings(), [], []
        for step in range(60):
            ahead = MS + step * 16_000  # any part of a millisecond
            due = now() + ahead
            rings.alarm.set(due)
            of_alarm.append(await rings.next() - due)
            due = now() + ahead
            await asyncio.sleep((due - now()) / 1e9)
            of_sleep.append(abs(now() - due))
        rings.alarm.close()
        return statistics.median(of_alarm) < statistics.median(of_sleep) / 2

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        until(lambda: runner.run(one_round()))


def test_setting_it_leaves_nothing_for_the_garbage_collector():
    async def main():
        rings = Rings()
        due = now() + 3_600_000 * MS
        gc.collect()
        gc.disable()
        try:
            before = gc.get_count()[0]
            for step in range(5_000):
                rings.alarm.set(due + step)
            return gc.get_count()[0] - before
        finally:
            gc.enable()
            rings.alarm.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) < 100


def test_the_same_instant_costs_no_call():
    async def main():
        rings = Rings()
        calls = []
        arm = rings.alarm._timer.arm
        rings.alarm._timer.arm = lambda at: (calls.append(at), arm(at))
        due = now() + 3_600_000 * MS
        for at in (due, due, due + 1, due + 1):
            rings.alarm.set(at)
        rings.alarm.close()
        return calls == [due, due + 1]

    with asyncio.Runner() as runner:
        assert runner.run(main())
