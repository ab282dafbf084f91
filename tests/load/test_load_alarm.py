"""The alarm: it rings once, at the instant set last, never before it."""

import asyncio
import ctypes
import time

import pytest
import uvloop

from nightbench.load import alarm as alarm_module
from nightbench.load.alarm import Alarm

MS = 1_000_000
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
TIMERS = ["timerfd", "loop"]
now = time.perf_counter_ns


def no_timerfd(_loop, _wake):
    msg = "no timerfd here"
    raise OSError(msg)


@pytest.fixture(params=[(loop, timer) for loop in LOOPS for timer in TIMERS], ids="-".join)
def run(request, monkeypatch):
    """Runs a test's coroutine on each loop, with each timer."""
    loop, timer = request.param
    if timer == "loop":
        monkeypatch.setattr(alarm_module, "_TimerFd", no_timerfd)

    def in_loop(main):
        failures = []
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.get_loop().set_exception_handler(lambda _loop, context: failures.append(context))
            result = runner.run(asyncio.wait_for(main, 20))
        assert not failures  # which the loop would only log
        return result

    return in_loop


class Rings:
    """Takes down when the alarm rang; waits for it."""

    def __init__(self):
        self.at = []
        self.rung = asyncio.Event()
        self.alarm = Alarm(self._ring)

    def _ring(self):
        self.at.append(now())
        self.rung.set()

    async def next(self):
        await self.rung.wait()
        self.rung.clear()
        return self.at[-1]


async def later(nanoseconds):
    """Wait for another alarm, set for later than all that could ring here."""
    other = Rings()
    other.alarm.set(now() + nanoseconds)
    await other.next()
    other.alarm.close()


def test_the_clock_is_the_one_that_timers_go_by():
    assert time.get_clock_info("perf_counter").implementation == "clock_gettime(CLOCK_MONOTONIC)"


def test_it_never_rings_before_its_instant(run):
    async def main():
        rings = Rings()
        for ahead in (0, 1_000, 300_000, 700_000, MS, 1_300_000, 1_499_000, 5 * MS) * 5:
            due = now() + ahead
            rings.alarm.set(due)
            assert await rings.next() >= due
        rings.alarm.close()
        return len(rings.at)

    assert run(main()) == 40


@pytest.mark.parametrize("at", [0, -5, 1])
def test_what_is_over_rings_soon_and_once(run, at):
    async def main():
        rings = Rings()
        rings.alarm.set(at)
        await rings.next()
        rings.at.clear()
        await later(20 * MS)
        assert not rings.at
        rings.alarm.close()

    run(main())


def test_an_earlier_instant_replaces_a_later_one(run):
    async def main():
        rings = Rings()
        rings.alarm.set(now() + 3_600_000 * MS)
        rings.alarm.set(now() + MS)
        await rings.next()
        rings.alarm.close()

    run(main())


def test_a_later_instant_replaces_an_earlier_one_even_when_that_is_over(run):
    async def main():
        rings = Rings()
        rings.alarm.set(now() + MS)
        while now() < rings.alarm._at + MS:
            pass  # it expires, and the loop has had no turn
        due = now() + 30 * MS
        rings.alarm.set(due)
        assert await rings.next() >= due
        assert len(rings.at) == 1
        rings.alarm.close()

    run(main())


@pytest.mark.parametrize("expired", [False, True])
def test_unset_it_is_silent(run, expired):
    async def main():
        rings = Rings()
        rings.alarm.set(now() if expired else now() + 5 * MS)
        rings.alarm.set(None)
        await later(30 * MS)
        assert not rings.at
        rings.alarm.close()

    run(main())


@pytest.mark.parametrize("expired", [False, True])
def test_closed_it_is_silent_whatever_is_set(run, expired):
    async def main():
        rings = Rings()
        rings.alarm.set(now() if expired else now() + 5 * MS)
        rings.alarm.close()
        rings.alarm.close()
        rings.alarm.set(now())
        rings.alarm.set(None)
        await later(30 * MS)
        assert not rings.at

    run(main())


def test_it_may_be_set_anew_and_closed_while_it_rings(run):
    async def main():
        over = asyncio.Event()
        rung = []

        def ring():
            rung.append(now())
            if len(rung) < 5:
                alarm.set(rung[-1] + MS // 10)
            else:
                alarm.close()
                over.set()

        alarm = Alarm(ring)
        alarm.set(now())
        await over.wait()
        return len(rung)

    assert run(main()) == 5


@pytest.fixture
def wakes(monkeypatch):
    """Each time that a timer woke an alarm."""
    found = []
    wake = Alarm._wake
    monkeypatch.setattr(Alarm, "_wake", lambda alarm: (found.append(alarm), wake(alarm))[1])
    return found


def test_however_often_it_is_set_the_loop_wakes_about_once(run, wakes):
    async def main():
        rings = Rings()
        due = now() + 10 * MS
        for step in range(50):
            rings.alarm.set(due + step)
        await rings.next()
        await later(20 * MS)  # after it rang, the loop has nothing more to do with it
        rings.alarm.close()
        return wakes.count(rings.alarm)

    assert 1 <= run(main()) <= 5


@pytest.mark.parametrize("at", [None, 2**62])
def test_woken_in_vain_it_does_not_ring(run, at):
    """As when it was set anew by what ran before it in the same turn of the loop."""

    async def main():
        rings = Rings()
        rings.alarm.set(now() + MS)
        rings.alarm.set(at)
        rings.alarm._wake()
        rings.alarm.close()
        assert not rings.at

    run(main())


def test_one_that_fails_is_told_to_the_loop_and_does_not_ring_on(run):
    async def main():
        told = asyncio.Event()
        failures = []

        def take_down(_loop, context):
            failures.append(context["exception"])
            told.set()

        def ring():
            msg = "cannot"
            raise ZeroDivisionError(msg)

        asyncio.get_running_loop().set_exception_handler(take_down)
        alarm = Alarm(ring)
        alarm.set(now())
        await told.wait()
        await later(20 * MS)
        alarm.close()
        return failures

    assert [type(failure) for failure in run(main())] == [ZeroDivisionError]


def test_without_a_timerfd_the_loop_keeps_the_time(run, monkeypatch):
    """As in sandboxes that do not know the call."""

    class Library:
        def __init__(self, *_args, **_kwargs):
            pass

    monkeypatch.setattr(ctypes, "CDLL", Library)

    async def main():
        rings = Rings()
        assert isinstance(rings.alarm._timer, alarm_module._LoopTimer)
        rings.alarm.set(now() + MS)
        await rings.next()
        rings.alarm.close()

    run(main())
