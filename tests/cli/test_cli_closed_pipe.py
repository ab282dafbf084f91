"""Nobody reads any more, or the disk is full: what was measured is kept, and the exit code says what came of it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from warm import nightbench

from nightbench.cli import run_command

STAGED = Path(__file__).parents[1] / "flows" / "staged.py"
CODES = {"good": 0, "interrupted": 3}


@pytest.fixture
def environment(tmp_path):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NIGHTBENCH_", "PREFECT_"))
    }
    return kept | {
        "NIGHTBENCH_CACHE": str(tmp_path / "cache"),
        "NIGHTBENCH_RUN__SLOTS": str(tmp_path / "slots"),
    }


@pytest.fixture
def closed():
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def run(environment, tmp_path):
    """Run the command line with a staged suite; its exit code."""
    return partial(nightbench().run, STAGED, cwd=tmp_path, env=environment)


def runs(tmp_path):
    frame = pd.read_parquet(tmp_path / "results" / "runs")
    return dict(zip(frame["suite"], frame["complete"], strict=True))


@pytest.mark.parametrize(
    ("stage", "streams"),
    [("good", ("stdout",)), ("good", ("stderr",)), ("interrupted", ("stdout", "stderr"))],
    ids=str,
)
def test_a_suite_outlives_its_reader(run, tmp_path, closed, stage, streams):
    code = run(stage, "websocket", "--json", "it.json", **dict.fromkeys(streams, closed))

    assert code == CODES[stage]
    assert runs(tmp_path) == {"websocket": stage == "good"}
    assert json.loads((tmp_path / "it.json").read_text())["suite"] == "websocket"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["capacity", "websocket", "--help"], ["--version"]], ids=" ".join
)
def test_a_help_that_nobody_reads_to_its_end_is_no_missed_target(closed, monkeypatch, arguments):
    with open(closed, "w", closefd=False) as left:  # a descriptor
        monkeypatch.setattr(sys, "stdout", left)
        assert run_command(arguments) == 0


IN_A_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"


def test_a_terminal_that_is_closed_ends_a_run_early_and_keeps_it(environment, tmp_path):
    terminal, slave = pty.openpty()
    command = [sys.executable, str(STAGED), "until-stopped", "websocket", "--json", "it.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, *command],
        cwd=tmp_path,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        said = b""
        while b"measuring" not in said:
            said += os.read(terminal, 1024)
        os.close(terminal)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()

    assert code == 3
    assert runs(tmp_path) == {"websocket": False}
    assert json.loads((tmp_path / "it.json").read_text())["validity"]["complete"] is False


def test_a_document_that_nobody_reads_is_no_failure(run, tmp_path, closed):
    assert run("good", "websocket", "--json", "-", stdout=closed) == 0
    assert runs(tmp_path) == {"websocket": True}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [([], 0, "<stdout>: no space left"), (["--json", "-"], 3, "--json = '-': cannot be written")],
)
def test_a_full_disk_is_told(run, tmp_path, arguments, code, told):
    with Path("/dev/full").open("w") as full, (tmp_path / "stderr").open("w+") as stderr:
        ended = run("good", "websocket", *arguments, stdout=full.fileno(), stderr=stderr.fileno())
        stderr.seek(0)
        said = stderr.read()
    assert ended == code
    assert told in said
    assert "Traceback" not in said
    assert runs(tmp_path) == {"websocket": True}
