"""Who has more to read than fits into a turn takes turns with the others."""

import asyncio
import itertools

import pytest

from nightbench.websocket import backlog as backlog_module
from nightbench.websocket.backlog import TURN_NS, Backlog


def reading(log, name, steps):
    """Something to read that takes so many steps."""
    left = iter(range(steps - 1, -1, -1))

    def step():
        log.append(name)
        return next(left) > 0

    return step


async def turns():
    """Until nothing is left to do; a flood that goes on for longer than this hangs the test."""
    for _ in range(1000):
        await asyncio.sleep(0)


def run(use):
    async def main():
        use(Backlog())
        await turns()

    asyncio.run(main())


def test_one_after_the_other_does_a_step_until_it_has_no_more():
    log = []

    def use(backlog):
        for name, steps in (("a", 3), ("b", 1), ("c", 2)):
            backlog.enter(reading(log, name, steps))

    run(use)
    assert log == list("abcaca")


def test_nothing_is_read_before_whoever_enters_has_returned():
    log = []

    def use(backlog):
        backlog.enter(reading(log, "a", 1))
        assert log == []

    run(use)
    assert log == ["a"]


def test_a_turn_takes_its_time_and_then_lets_the_event_loop_go_on(monkeypatch):
    now = itertools.count(0, TURN_NS // 4)  # each look at the clock is a quarter of a turn later
    monkeypatch.setattr(backlog_module, "_clock", lambda: next(now))
    log = []

    async def main():
        Backlog().enter(reading(log, "a", 10))
        for _ in range(10):
            await asyncio.sleep(0)
            log.append("|")

    asyncio.run(main())
    assert "".join(log).strip("|").split("|") == ["aaa", "aaa", "aaa", "a"]


def test_who_enters_from_a_step_of_another_comes_after_it():
    log = []

    def use(backlog):
        def step():
            log.append("a")
            backlog.enter(reading(log, "b", 1))
            return False

        backlog.enter(step)

    run(use)
    assert log == ["a", "b"]


def test_an_error_of_one_is_told_and_keeps_no_other_from_its_turn():
    log, told = [], []

    def broken():
        msg = "an error of ours"
        raise ZeroDivisionError(msg)

    async def main():
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: told.append(context["exception"])
        )
        backlog = Backlog()
        backlog.enter(broken)
        backlog.enter(reading(log, "a", 2))
        await turns()

    asyncio.run(main())
    assert log == ["a", "a"]
    with pytest.raises(ZeroDivisionError):
        raise told[0]
    assert len(told) == 1
