"""However a run ends, its rows do not stay: it removes them itself, or `clean` does."""

import os
import signal
from contextlib import contextmanager, suppress

import psutil
import pytest
from processes import survivors
from waiting import PATIENCE, until
from warm import NIGHTBENCH, nightbench

from nightbench.cli import run_command
from nightbench.errors import ExitCode


def tagged(server):
    return server.execute("SELECT count(source) FROM expenses")[0][0]


@contextmanager
def run_under_way(server, folder):
    """A run that writes as long as the block, its command and all its processes; nothing of it is left then."""
    arguments = ["database", "--dsn", server.dsn, "--queries", "6000", "--rate", "100", "--warmup", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTBENCH_")}
    process = nightbench().start(*NIGHTBENCH, *arguments, cwd=folder, env=environment)
    everyone = [psutil.Process(process.pid)]
    try:
        until(lambda: tagged(server) > 10)  # those of the workers, and some that they wrote
        everyone += everyone[0].children(recursive=True)
        yield process, everyone
    finally:
        kill(everyone)
        process.wait()


def kill(everyone):
    """At one time: none of them sees that another is gone."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for each in everyone:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(number)


def test_what_a_crash_left_behind_clean_removes(postgres, tmp_path, monkeypatch, capsys):
    before = postgres.state()
    with run_under_way(postgres, tmp_path) as (_, everyone):
        kill(everyone)
        assert not survivors(everyone)
    # the server notices that they are gone when it has answered
    until(
        lambda: (
            not postgres.execute("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'nightbench%'")
        )
    )
    left = tagged(postgres)
    assert left > 10
    monkeypatch.chdir(tmp_path)
    assert run_command(["database", "clean", "--dsn", postgres.dsn]) == 0
    assert f"removed {left} rows of earlier runs" in capsys.readouterr().out
    assert postgres.state() == before


def test_a_run_whose_command_is_killed_removes_its_rows_itself(postgres, tmp_path):
    before = postgres.state()
    with run_under_way(postgres, tmp_path) as (process, everyone):
        process.kill()
        assert not survivors(everyone)
    assert postgres.state() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_removes_its_rows(postgres, tmp_path, number):
    before = postgres.state()
    with run_under_way(postgres, tmp_path) as (process, everyone):
        process.send_signal(number)
        assert process.wait(PATIENCE) == ExitCode.INVALID
        assert not survivors(everyone)
    assert postgres.state() == before
