"""How `nightbench serve` ends: by a signal, by an error, and with what is left of runs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from flows.serving import serve as serving
from flows.serving.child import Child
from flows.serving.database import _in_a_thread
from flows.serving.runs_here import SERVED_BY, end_runs, runs_of
from nightbench.errors import NightbenchError
from nightbench.serving import Serving

ROOT = Path(__file__).parents[2]
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
WILLING = (
    "import signal, sys; signal.signal(15, lambda *_: sys.exit()); print('ready', flush=True); signal.pause()"
)
BELOW = (
    "import subprocess, sys; print(subprocess.Popen([sys.executable, '-ISc', sys.argv[1], 'prefect.engine'],"
    " stdout=subprocess.PIPE).stdout.readline().decode(), flush=True); sys.stdin.read()"
)


class Ends:
    """In the place of what serves: it comes to an end of its own, which takes until it is told to hurry."""

    def __init__(self) -> None:
        self.ending = False
        self.hurried = asyncio.Event()

    def hurry(self) -> None:
        self.hurried.set()

    async def run(self) -> None:
        self.ending = True
        os.kill(os.getpid(), signal.SIGINT)
        await self.hurried.wait()
        raise NightbenchError("the Prefect server ended")


@pytest.fixture
def asked(tmp_path):
    return Serving(
        file=ROOT / "prefect.yaml",
        data=tmp_path,
        api_url=None,
        host="127.0.0.1",
        port=0,
        worker=True,
        tell=lambda _line: None,
        on_ready=lambda _place: None,
    )


def test_a_signal_while_it_ends_by_an_error_hurries_and_the_error_is_told(asked):
    with pytest.raises(NightbenchError, match="the Prefect server ended"):
        asyncio.run(serving._until_told(asked, Ends()))


def test_it_knows_that_it_ends_before_anything_is_ended(asked, monkeypatch):
    seen = []
    live = serving._Live(asked, "nightbench", lambda _text: None)

    async def fails(stack):
        stack.callback(lambda: seen.append(live.ending))
        raise NightbenchError("a part did not come up")

    monkeypatch.setattr(live, "_run", fails)
    with pytest.raises(NightbenchError):
        asyncio.run(live.run())
    assert seen == [True]


def test_a_child_whose_end_nobody_awaits_any_longer_is_killed(tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)

    async def main() -> int:
        child = await Child.start(
            "stubborn",
            "stubborn",
            folder=tmp_path,
            environment={"PYTHONPATH": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
        )
        await child._process.stdout.readline()
        ending = asyncio.create_task(child.end(grace=600))
        await asyncio.sleep(0)
        ending.cancel()
        return await child.wait()

    assert asyncio.run(main()) == -signal.SIGKILL


@pytest.fixture
def run():
    """Start a process that looks like a flow run's; all are gone in the end."""
    started = []

    def start(code: str, served_by: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-ISc", code, "prefect.engine"],
            env={SERVED_BY: served_by},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_runs_of_one_serve_are_told_from_those_of_another_and_of_its_worker(run, tmp_path):
    served_by = str(tmp_path / "own")
    orphan = run(WILLING, served_by)
    run(WILLING, str(tmp_path / "other"))
    worker = subprocess.Popen(
        [sys.executable, "-ISc", BELOW, WILLING],
        env={SERVED_BY: served_by},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    worker.stdout.readline()
    (child,) = psutil.Process(worker.pid).children()
    try:
        assert {each.pid for each in runs_of(served_by)} == {orphan.pid, child.pid}
        assert [each.pid for each in runs_of(served_by, but_of=worker.pid)] == [orphan.pid]
    finally:
        child.kill()
        worker.communicate()


def test_a_run_that_its_worker_has_left_behind_ends_with_serve(asked, run):
    live = serving._Live(asked, "nightbench", lambda _text: None)
    orphan = run(WILLING, live._name)
    asyncio.run(live._end_runs())
    assert orphan.wait() == 0


def test_a_run_that_does_not_end_is_killed_after_its_grace_and_at_once_when_told_to_hurry(
    asked, run, monkeypatch
):
    live = serving._Live(asked, "nightbench", lambda _text: None)
    hurried = run(STUBBORN, live._name)
    live.hurry()
    assert hurried.wait() == -signal.SIGKILL
    late = run(STUBBORN, live._name)
    monkeypatch.setattr("flows.serving.runs_here.GRACE_SECONDS", 0.05)
    asyncio.run(end_runs(runs_of(live._name)))
    assert late.wait() == -signal.SIGKILL


def test_signals_are_heard_while_the_database_is_made_and_it_is_made_whole():
    begun, heard, made = threading.Event(), threading.Event(), []

    def make() -> None:
        begun.set()
        heard.wait()
        made.append("whole")

    async def main() -> None:
        making = asyncio.create_task(_in_a_thread(make))
        await asyncio.to_thread(begun.wait)
        making.cancel()
        await asyncio.sleep(0)
        heard.set()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert made == ["whole"]

    asyncio.run(main())


def test_ctrl_c_in_the_middle_of_a_first_start_is_a_stop(tmp_path):
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "nightbench", "serve", "--data", str(data), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not any(data.glob(".building-*/data/global/pg_control")):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that it can reach
        *_, last = process.communicate()[1].splitlines()
        assert (process.returncode, last) == (0, "nightbench: stopped")
        assert not any(data.glob(".building-*"))
    finally:
        process.kill()
        process.wait()
