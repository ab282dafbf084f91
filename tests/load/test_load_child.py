"""The generator's own process: results, errors, early ends, and nothing left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from load import child_generators
from processes import survivors
from waiting import until

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.load.child import run_in_child

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def run(generator, spec=None, *, on_progress=lambda _progress: None, stop_when=None, grace=5.0):
    async def main():
        stop = asyncio.Event()

        def progress(report):
            on_progress(report)
            if stop_when is not None:
                stop.set()

        return await run_in_child(generator, spec, on_progress=progress, stop=stop, grace=grace)

    return asyncio.run(main())


def test_the_result_and_the_progress_come_back():
    seen = []
    result = run(child_generators.echo, {"users": 3}, on_progress=seen.append)
    assert result["spec"] == {"users": 3}
    assert result["pid"] != os.getpid()
    assert [report.active for report in seen] == [3]
    assert not psutil.pid_exists(result["pid"])


def test_a_wrong_setting_is_told_as_one():
    with pytest.raises(ConfigurationError, match="no such database; name another"):
        run(child_generators.wrong_setting)


def test_a_failure_is_told_without_its_secrets():
    with pytest.raises(MeasurementError, match="ZeroDivisionError") as caught:
        run(child_generators.broken, {"token": "zebrafishpond"})
    told = str(caught.value) + "".join(caught.value.__notes__)
    assert "hunter2" not in told
    assert "zebrafishpond" not in told


def test_a_child_that_dies_is_told_with_its_last_words():
    with pytest.raises(MeasurementError, match=r"exit code 7\): last words"):
        run(child_generators.killed)


def test_one_that_does_not_listen_is_killed_after_its_grace():
    with pytest.raises(MeasurementError, match="without a result"):
        run(child_generators.deaf, stop_when=True, grace=0.3)


def test_stop_ends_it_early_with_what_it_has(tmp_path):
    async def main():
        stop = asyncio.Event()
        mark = tmp_path / "pid"
        running = asyncio.create_task(
            run_in_child(
                child_generators.until_stopped, str(mark), on_progress=lambda _: None, stop=stop, grace=5
            )
        )
        while not mark.exists():  # noqa: ASYNC110  # written by another process
            await asyncio.sleep(0.01)
        stop.set()
        return await running

    assert asyncio.run(main()) == "stopped early"


def test_it_ends_when_its_parent_is_killed(tmp_path):
    mark = tmp_path / "pid"
    program = (
        "import asyncio, sys\n"
        "from load import child_generators\n"
        "from nightbench.load.child import run_in_child\n"
        "asyncio.run(run_in_child(child_generators.until_stopped, sys.argv[1],"
        " on_progress=print, stop=asyncio.Event(), grace=5))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(mark)], cwd=TESTS)

    def written():
        assert parent.poll() is None
        return mark.exists() and mark.read_text()

    child = psutil.Process(int(until(written)))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert survivors([child]) == []
