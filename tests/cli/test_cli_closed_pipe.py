"""Nobody reads any more, or the disk is full: what was measured is kept, and the exit code says what came of it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

STAGED = Path(__file__).parents[1] / "flows" / "staged.py"
TEMPLATES = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache") / "prefect"
CODES = {"good": 0, "interrupted": 3}


@pytest.fixture
def environment(tmp_path):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NIGHTBENCH_", "PREFECT_"))
    }
    cache = tmp_path / "cache"
    (cache / "prefect").mkdir(parents=True)
    for template in TEMPLATES.glob("prefect-*.db"):  # making one takes most of a first start
        (cache / "prefect" / template.name).write_bytes(template.read_bytes())
    return kept | {"NIGHTBENCH_CACHE": str(cache)}


@pytest.fixture
def closed():
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def run(environment, tmp_path, stage, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
    return subprocess.run(
        [sys.executable, str(STAGED), stage, *arguments],
        cwd=tmp_path,
        env=environment,
        stdout=stdout,
        stderr=stderr,
        check=False,
        timeout=120,
        text=True,
    )


def runs(tmp_path):
    frame = pd.read_parquet(tmp_path / "results" / "runs")
    return dict(zip(frame["suite"], frame["complete"], strict=True))


@pytest.mark.parametrize(
    ("stage", "streams"),
    [("good", ("stdout",)), ("good", ("stderr",)), ("interrupted", ("stdout", "stderr"))],
    ids=str,
)
def test_a_suite_outlives_its_reader(environment, tmp_path, closed, stage, streams):
    done = run(
        environment, tmp_path, stage, "websocket", "--json", "it.json", **dict.fromkeys(streams, closed)
    )

    assert done.returncode == CODES[stage]
    assert runs(tmp_path) == {"websocket": stage == "good"}
    assert json.loads((tmp_path / "it.json").read_text())["suite"] == "websocket"


@pytest.mark.slow
@pytest.mark.parametrize("stage", CODES)
def test_a_night_outlives_its_readers(environment, tmp_path, closed, stage):
    arguments = ("run", "quick", "--json", "it.json")
    done = run(environment, tmp_path, stage, *arguments, stdout=closed, stderr=closed)

    assert done.returncode == CODES[stage]
    assert runs(tmp_path) == {"good": {"websocket": True, "database": True}}.get(stage, {"websocket": False})
    assert json.loads((tmp_path / "it.json").read_text())["exit_code"] == CODES[stage]


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


def test_a_document_that_nobody_reads_is_no_failure(environment, tmp_path, closed):
    done = run(environment, tmp_path, "good", "websocket", "--json", "-", stdout=closed)
    assert done.returncode == 0
    assert runs(tmp_path) == {"websocket": True}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [([], 0, "<stdout>: no space left"), (["--json", "-"], 3, "--json = '-': cannot be written")],
)
def test_a_full_disk_is_told(environment, tmp_path, arguments, code, told):
    with Path("/dev/full").open("w") as full:
        done = run(
            environment, tmp_path, "good", "websocket", *arguments, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert runs(tmp_path) == {"websocket": True}
