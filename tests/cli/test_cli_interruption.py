"""Ctrl-C, SIGTERM and a terminal that is closed."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from nightbench.errors import MeasurementError
from nightbench.interruption import run_interruptible


def ended_early_by(number: signal.Signals, on_first=lambda: None) -> str:
    async def main(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), number)
        await stop.wait()
        return "ended early"

    return run_interruptible(main, on_first=on_first)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_ends_early(number):
    assert ended_early_by(number) == "ended early"


def test_a_voice_that_fails_does_not_keep_it_from_ending():
    def speechless():
        raise BrokenPipeError

    assert ended_early_by(signal.SIGINT, speechless) == "ended early"


def test_it_is_being_stopped_before_anything_is_said():
    said = []

    async def main(stop: asyncio.Event) -> None:
        running = asyncio.get_running_loop()
        original = running.call_soon_threadsafe
        running.call_soon_threadsafe = lambda *args: (said.append("stop"), original(*args))
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()

    run_interruptible(main, on_first=lambda: said.append("words"))
    assert said[:2] == ["stop", "words"]


def test_the_second_signal_ends_at_once():
    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    with pytest.raises(MeasurementError, match="interrupted twice"):
        run_interruptible(main, on_first=lambda: None)


def test_nohup_is_heeded():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        async def main(_stop: asyncio.Event) -> object:
            return signal.getsignal(signal.SIGHUP)

        assert run_interruptible(main, on_first=lambda: None) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
