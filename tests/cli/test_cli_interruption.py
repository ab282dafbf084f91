"""Ctrl-C, SIGTERM and a terminal that is closed."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import threading
from pathlib import Path

import pytest
from builders import database_measurement, invalidated, verdict_of
from rich.console import Console

from nightbench.cli import run_command
from nightbench.errors import ExitCode, MeasurementError
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.report.summary import print_suite

README = Path(__file__).parents[2] / "README.md"


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


def test_what_comes_before_anything_runs_counts_too(monkeypatch):
    start = threading.Thread.start

    def interrupted_twice(thread):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        start(thread)

    async def main(stop: asyncio.Event) -> None:
        await stop.wait()

    monkeypatch.setattr(threading.Thread, "start", interrupted_twice)
    with pytest.raises(MeasurementError, match="interrupted twice"):
        run_interruptible(main, on_first=lambda: None)


@pytest.mark.parametrize("_again", range(50))
def test_no_signal_is_slept_through(_again):
    async def main(_stop: asyncio.Event) -> None:
        # the second goes to a thread that is awake, or comes before the main one is asleep again
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
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


def test_before_anything_runs_it_is_told_and_has_a_code_of_its_own(clean_settings, capsys, monkeypatch):
    def interrupted(*_args, **_kwargs):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("nightbench.settings.load", interrupted)
    assert run_command(["websocket"]) == 130
    assert capsys.readouterr().err == "nightbench: interrupted\n"


def test_what_is_said_at_the_first_signal_is_what_the_summary_says_of_a_run_cut_short():
    summary = io.StringIO()
    cut_short = invalidated(database_measurement(), "incomplete after 1.0 s: interrupted", complete=False)
    print_suite(Console(file=summary, width=80), verdict_of(cut_short))
    assert "neither a pass nor a fail" in " ".join(summary.getvalue().split())
    assert "neither a pass nor a fail" in STOPPING


def test_every_exit_code_is_in_the_readme_and_in_the_help(capsys):
    codes = {str(int(code)) for code in ExitCode}
    run_command(["--help"])
    told = " ".join(capsys.readouterr().out.replace("│", " ").split()).partition("Exit codes:")[2]
    assert set(re.findall(r"(?:^|, )(\d+) ", told.partition(".")[0].strip())) == codes
    assert set(re.findall(r"^\| (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)) == codes
