"""Ctrl-C before the load has begun: there is nothing to keep, and the code is that of an interruption."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from processes import survivors

from nightbench.cli import run_command
from nightbench.errors import ExitCode, MeasurementError, NotBegunError
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.measurement import RunLabel
from nightbench.plan import WebSocketPlan
from nightbench.subject import Subject
from nightbench.websocket import load_test

COMMAND = ["sh", "-c", "echo $$ > begun; exec sleep 100"]


@pytest.fixture(autouse=True)
def _begun(clean_settings):
    os.mkfifo("begun")


def command_begun() -> psutil.Process:
    return psutil.Process(int(Path("begun").read_text()))


async def load(stop: asyncio.Event) -> None:
    """A load test that wants tokens first."""
    await load_test.run(
        WebSocketPlan(users=1, duration=1, tokens={"command": COMMAND}),
        Subject(websocket_url="ws://127.0.0.1:9/chat"),
        RunLabel("full", "night", "test"),
        on_progress=lambda _: None,
        stop=stop,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_the_command_of_the_tokens_runs_it_ends_with_the_command(number, capsys):
    Path("it.toml").write_text(f"[websocket.tokens]\ncommand = {COMMAND}")
    commands = []

    def interrupt():
        commands.append(command_begun())
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code = run_command(["websocket", "--url", "ws://127.0.0.1:9/chat", "--plan", "it.toml"])
    thread.join()

    assert code == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"nightbench: {STOPPING}",
        "nightbench: interrupted before the load began: nothing was measured",
    ]
    assert survivors(commands) == []
    assert [*Path("results").rglob("*.parquet")] == []


async def interrupt_twice(stop: asyncio.Event) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    await stop.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def test_interrupted_twice_while_the_command_runs_it_has_not_begun_either():
    commands = []

    async def main(stop: asyncio.Event) -> None:
        async def interrupt() -> None:
            commands.append(await asyncio.to_thread(command_begun))
            await interrupt_twice(stop)

        interrupting = asyncio.create_task(interrupt())
        await load(stop)
        await interrupting

    with pytest.raises(NotBegunError):
        run_interruptible(main, on_first=lambda: None)
    assert survivors(commands) == []


# asyncio may be cancelled again while it puts the process away, and leaves its transport then
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_stopped_and_cancelled_at_once_it_has_not_begun_either():
    commands = []

    async def main(stop: asyncio.Event) -> None:
        async def end() -> None:
            commands.append(await asyncio.to_thread(command_begun))
            stop.set()
            loading.cancel()

        loading = asyncio.current_task()
        ending = asyncio.create_task(end())
        await load(stop)
        await ending

    with pytest.raises(NotBegunError):
        run_interruptible(main, on_first=lambda: None)
    assert survivors(commands) == []


def test_interrupted_again_while_all_is_put_away_it_has_not_begun_either():
    async def main(stop: asyncio.Event) -> None:
        early = asyncio.Event()
        early.set()
        try:
            await load(early)
        finally:
            await interrupt_twice(stop)
            await asyncio.Event().wait()

    with pytest.raises(NotBegunError):
        run_interruptible(main, on_first=lambda: None)


def test_interrupted_twice_after_it_had_begun_it_has_begun():
    async def main(stop: asyncio.Event) -> None:
        early = asyncio.Event()
        early.set()
        with suppress(NotBegunError):  # of another suite
            await load(early)
        await interrupt_twice(stop)
        await asyncio.Event().wait()

    with pytest.raises(MeasurementError, match="interrupted twice"):
        run_interruptible(main, on_first=lambda: None)
