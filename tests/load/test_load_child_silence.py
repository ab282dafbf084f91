"""A generator that says nothing for too long is ended, and one that does is not."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest
from load import child_generators
from processes import load_generators

from nightbench.errors import ExitCode, MeasurementError
from nightbench.load import progress as progress_module
from nightbench.load.child import run_in_child
from nightbench.load.progress import PULSE_SECONDS, Pulse

TESTS = Path(__file__).parents[1]
STOPS_AS_IT_STARTS = """
import os, pathlib, signal
pathlib.Path(os.environ["MARK"]).write_text(str(os.getpid()))
os.kill(os.getpid(), signal.SIGSTOP)
"""
NEVER = 3600.0


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def run(generator, spec, *, on_progress=lambda _progress: None, stopping=False, grace=NEVER, patience=NEVER):
    async def main():
        stop = asyncio.Event()

        def progress(report):
            on_progress(report)
            if stopping:
                stop.set()

        return await run_in_child(
            generator, spec, on_progress=progress, stop=stop, grace=grace, patience=patience
        )

    return asyncio.run(main())


def is_gone(mark):
    """Whether it has ended, also when it was so slow to start that it was ended before it had left its mark."""
    return not load_generators() and not (mark.exists() and psutil.pid_exists(int(mark.read_text())))


@pytest.mark.parametrize("generator", [child_generators.stopped, child_generators.hanging])
def test_one_that_stops_or_hangs_is_ended_and_told(generator, tmp_path):
    mark = tmp_path / "pid"
    with pytest.raises(MeasurementError, match=r"said nothing for 4 s .* run again") as caught:
        run(generator, str(mark), patience=4)
    assert caught.value.exit_code == ExitCode.INVALID
    assert is_gone(mark)


@pytest.mark.parametrize("size", [10, 50_000_000], ids=["a small spec", "a spec that no pipe holds"])
def test_one_that_stops_before_it_has_read_what_to_do_is_ended_too(size, tmp_path, monkeypatch):
    mark = tmp_path / "pid"
    (tmp_path / "sitecustomize.py").write_text(STOPS_AS_IT_STARTS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{TESTS}")
    monkeypatch.setenv("MARK", str(mark))
    with pytest.raises(MeasurementError, match="said nothing for 4 s"):
        run(child_generators.echo, bytes(size), patience=4)
    assert is_gone(mark)


def test_an_interruption_ends_one_that_was_stopped_after_its_grace(tmp_path):
    mark = tmp_path / "pid"
    with pytest.raises(MeasurementError, match="without a result"):
        run(child_generators.stopped, str(mark), stopping=True, grace=0.3)
    assert is_gone(mark)


def test_one_that_goes_on_saying_something_may_take_longer_than_patience():
    assert run(child_generators.steady, 100, patience=4.5) == "done"  # it takes 5 s at the least


def test_silence_of_whoever_listens_is_not_that_of_the_generator():
    stalls = iter([5.0])  # longer than patience
    result = run(
        child_generators.steady,
        20,
        patience=4.5,
        on_progress=lambda _progress: time.sleep(next(stalls, 0)),
    )
    assert result == "done"


def test_what_takes_long_beside_a_load_test_is_told_now_and_then(monkeypatch):
    now = iter([0.0, 1.0, PULSE_SECONDS, PULSE_SECONDS + 1, 2 * PULSE_SECONDS + 1])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(now))
    told = []
    pulse = Pulse(told.append, "database", "cleanup")
    for _ in range(4):
        pulse()
    assert [(report.phase, report.elapsed) for report in told] == [
        ("cleanup", PULSE_SECONDS),
        ("cleanup", 2 * PULSE_SECONDS + 1),
    ]
