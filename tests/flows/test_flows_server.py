from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from processes import survivors
from staged import with_earlier_nights
from waiting import until
from warm import Program, nightbench

from flows.in_process.server import EmbeddedServer, embedded_server
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.store import HistoryStore

HOLDER = """
import asyncio, sys
from pathlib import Path
from flows.in_process.server import embedded_server
with embedded_server(Path(sys.argv[1]), Path(sys.argv[2])) as server:
    if sys.argv[3] == "ready":
        asyncio.run(server.ready())
    print(server.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(prefect_template, server_cache, tmp_path):
    """Start a process that holds a server; yield a function that returns it and the server's process."""
    held: list[subprocess.Popen[str]] = []

    def start(moment: str) -> tuple[subprocess.Popen[str], psutil.Process]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(server_cache), str(tmp_path), moment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        held.append(process)
        return process, psutil.Process(int(process.stdout.readline()))

    yield start
    for process in held:
        process.kill()
        process.communicate()


def port_of(api_url: str) -> int:
    return int(api_url.split(":")[2].split("/", maxsplit=1)[0])


def test_it_ends_with_its_block(prefect_template, server_cache, tmp_path):
    with embedded_server(server_cache, tmp_path) as server:
        asyncio.run(server.ready())
        with urllib.request.urlopen(f"{server.api_url}/health", timeout=10) as answer:
            assert answer.status == 200

    assert server.process.poll() is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(server.api_url)), timeout=5)


def test_the_template_is_kept_beside_another_file_system(tmp_path):
    """What a rename could not bring there: the folder of a server is often in memory, the cache on a disk."""
    with closing(sqlite3.connect(tmp_path / "prefect.db")) as database:
        database.execute("create table kept (n)")
    with tempfile.TemporaryDirectory(dir=another_file_system(tmp_path)) as elsewhere:
        template = Path(elsewhere) / "prefect" / "template.db"
        EmbeddedServer(None, 0, tmp_path, template)._keep_template()
        assert [each.name for each in template.parent.iterdir()] == [template.name]


def another_file_system(place):
    for folder in ("/dev/shm", "/tmp", "/var/tmp"):
        if Path(folder).is_dir() and Path(folder).stat().st_dev != place.stat().st_dev:
            return folder
    pytest.skip("there is one file system alone")


def test_a_migrated_database_is_kept_for_the_next_one(prefect_template, server_cache, tmp_path):
    with embedded_server(server_cache, tmp_path):
        assert (tmp_path / "prefect.db").read_bytes() == prefect_template.read_bytes()


def test_a_server_that_ends_while_starting_is_told_with_its_log(server_cache, tmp_path):
    with embedded_server(server_cache, tmp_path) as server:
        server.process.kill()  # first: on a slow day it may have begun to write its log
        (tmp_path / "server.log").write_text("password=hunter2 was wrong")
        with pytest.raises(MeasurementError, match=r"ended while starting; password=\*\*\* was wrong"):
            asyncio.run(server.ready())


def test_a_cache_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="cache"),
        embedded_server(tmp_path / "file", tmp_path / "missing"),
    ):
        pass


@pytest.mark.parametrize("moment", ["at once", "ready"])
def test_it_ends_when_its_parent_is_killed(holder, moment):
    parent, server = holder(moment)
    parent.kill()
    assert survivors([server]) == []


def test_the_terminal_s_interrupt_does_not_reach_it(holder):
    parent, server = holder("at once")
    assert os.getpgid(server.pid) != os.getpgid(parent.pid)
    assert os.getsid(server.pid) != os.getsid(parent.pid)


def test_the_user_s_own_prefect_is_not_its_business(prefect_template, server_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "postgresql://prefect@db.example.org/prefect")
    with embedded_server(server_cache, tmp_path) as server:
        # until a new program has begun, the system shows no environment of it
        environment = until(psutil.Process(server.process.pid).environ)
    assert "PREFECT_API_DATABASE_CONNECTION_URL" not in environment
    assert environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"].startswith("sqlite")


STAGED = Path(__file__).with_name("staged.py")


@pytest.fixture
def command(own_cache, tmp_path):
    """Start the command line with staged suites, as a terminal would: in a process group of its own."""
    started: list[Program] = []
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    def start(*arguments: str) -> Program:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        process = nightbench().start(
            STAGED, *arguments, cwd=tmp_path, env=environment, text=True, start_new_session=True, **streams
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until_it_measures(process: Program) -> None:
    seen = ""
    while not seen.endswith("measuring\n"):
        line = process.stderr.readline()
        seen += line
        assert line, f"it ended before it measured: {seen}"


@pytest.fixture
def own_cache(prefect_template, server_cache, tmp_path, monkeypatch) -> Path:
    """A cache of its own with the template in it, so that what is left in it is this test's."""
    cache = tmp_path / "cache"
    (cache / "prefect").mkdir(parents=True)
    (cache / "prefect" / prefect_template.name).write_bytes(prefect_template.read_bytes())
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(cache))
    return cache


def instances(cache: Path) -> list[Path]:
    return [path for path in (cache / "instances").iterdir() if path.is_dir()]


@pytest.mark.slow
def test_a_whole_run_with_its_own_server_says_what_is_ours_and_no_log(command, own_cache, tmp_path):
    process = command("good", "run", "quick")
    out, err = process.communicate(timeout=160)

    assert process.returncode == 0
    assert [line for line in err.splitlines() if line.startswith("quick ")] == [
        "quick websocket measure 1/60 s  10 users  5/s  P95 12.0 ms",
        "quick database measure 1/8 s  10 workers  99/s  P95 3.0 ms",
    ]
    # what Prefect logs of every run ("12:00:00.000 | INFO    | Flow run 'name' - …"), and what no user may see
    assert "INFO" not in err
    assert "Traceback" not in err
    assert "quick database" in out
    assert instances(own_cache) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "results"]


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_keeps_what_was_measured_and_leaves_nothing(command, own_cache, tmp_path):
    with_earlier_nights(tmp_path / "results")
    process = command("repeated-until-stopped", "run", "quick", "--reruns", "2", "--json", "-")
    wait_until_it_measures(process)
    (server,) = psutil.Process(process.pid).children(recursive=True)

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)

    assert process.returncode == 3
    night = json.loads(out)
    assert night["notes"] == ["quick websocket: repetition 2 of 2 not run: interrupted"]
    lines = {line["metric"]: line["state"] for line in night["suites"][0]["verdict"]["lines"]}
    assert lines["message.response_time.p95"] == "suspect"
    assert "stopping early" in err
    assert "Traceback" not in err
    runs = HistoryStore(tmp_path / "results").runs()
    runs = runs[runs["night_id"] == night["night_id"]]
    assert list(zip(runs["role"], runs["suite"], runs["complete"], strict=True)) == [
        ("night", "websocket", True),
        ("night", "database", True),
        ("rerun", "websocket", False),
    ]
    assert survivors([server], within=0) == []
    assert instances(own_cache) == []


@pytest.mark.slow
def test_a_run_whose_server_is_killed_measures_on_and_says_so(command, own_cache, tmp_path):
    process = command("without-prefect", "run", "nightly", "--quick")
    _, err = process.communicate(timeout=160)

    assert process.returncode == 3
    notes = [
        line.removeprefix("nightbench: ") for line in err.splitlines() if line.startswith("nightbench: ")
    ]
    assert [note.rpartition(": ConnectError")[0] or note for note in notes[1:]] == [
        "baseline: the Prefect server does not know how it ended",
        "full: measured without a run of its own on the Prefect server",
        "stress: measured without a run of its own on the Prefect server",
        "the summary could not be published",
        "night: failed: the embedded Prefect server ended: All connection attempts failed",
    ]
    assert len(list((tmp_path / "results").rglob("runs/**/*.parquet"))) == 6
    assert instances(own_cache) == []


@pytest.mark.slow
def test_a_killed_run_leaves_no_process(command):
    process = command("until-stopped", "run", "quick")
    wait_until_it_measures(process)
    children = psutil.Process(process.pid).children(recursive=True)

    process.kill()
    process.communicate()

    assert len(children) == 1
    assert survivors(children) == []
