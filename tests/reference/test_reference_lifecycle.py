"""Nothing stays behind, however the reference backend ends."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
import templates
from processes import survivors
from reference.conftest import CACHE, UP, cold, get_json, started
from warm import NIGHTBENCH, nightbench
from websockets.asyncio.client import connect

from nightbench.instances import instance_folder, living
from nightbench.reference.postgres import postgres_instance, reference_template
from nightbench.reference.programs import NOBODY
from nightbench.reference.server import stop_survivor

CHILD = ["-m", "nightbench.reference", "--cache"]


def family(pid):
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def assert_all_gone(processes, cache, address):
    assert survivors(processes) == []
    assert [path.name for path in (cache / "instances").iterdir() if path.is_dir()] == []
    with pytest.raises(OSError, match="refused"):
        get_json(address.counters_url)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of its own, but for the template of the database, which is made once."""
    templates.postgres_template(CACHE)
    folder = tmp_path_factory.mktemp("cache")
    (folder / "postgres").symlink_to((CACHE / "postgres").absolute())
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_stays_until_a_signal_and_leaves_nothing(cache, number):
    with started(UP, cache=cache) as (process, address):
        assert address.pid == process.pid
        processes = family(process.pid)
        process.send_signal(number)
        assert process.wait(20) == 0
        assert_all_gone(processes, cache, address)


def test_an_impatient_second_signal_does_not_cut_the_clean_up_short(cache):
    with started(UP, cache=cache) as (process, address):
        processes = family(process.pid)
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        assert_all_gone(processes, cache, address)


async def replies(address, count):
    """Ask a question so many times, one after the other, and return the last message of each answer."""
    headers = {"Authorization": f"Bearer {address.token}"}
    last = []
    async with connect(address.websocket_url, additional_headers=headers) as client:
        for _ in range(count):
            await client.send(json.dumps({"type": "chat", "id": "m", "message": "still there?"}))
            while (message := json.loads(await client.recv()))["type"] == "chunk":
                pass
            last.append(message)
    return last


@pytest.mark.parametrize("name", ["HUP", "INT"])  # as `nohup` has it, and a script that starts it with `&`
def test_a_signal_that_was_ignored_stays_so(cache, name):
    ignoring = ["sh", "-c", f"trap '' {name}; exec \"$@\"", "sh", sys.executable]
    # a backend that is about to end cuts the line before this reply
    slow = ("--delay", "fixed", "--delay-ms", "700")
    with started([*ignoring, *UP, *slow], cache=cache, start=cold) as (process, address):
        processes = family(process.pid)
        process.send_signal(signal.Signals[f"SIG{name}"])
        assert asyncio.run(replies(address, 1)) == [{"type": "done", "id": "m"}]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert_all_gone(processes, cache, address)


def said_by_down(environment):
    down = (*NIGHTBENCH, "reference", "down")
    with nightbench().start(*down, env=environment, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read()
        assert process.wait() == 0
    return said


def test_down_ends_what_up_started(cache):
    with started(UP, cache=cache) as (process, address):
        processes = family(process.pid)
        environment = {**os.environ, "NIGHTBENCH_CACHE": str(cache)}
        assert str(address.pid) in said_by_down(environment)
        assert process.wait(20) == 0
        assert_all_gone(processes, cache, address)
    assert said_by_down(environment) == "no reference backend is running\n"


def test_a_child_ends_with_its_lifeline(cache):
    with started([*CHILD, str(cache)], cache=cache, start_new_session=True) as (process, address):
        processes = family(process.pid)
        process.send_signal(signal.SIGINT)  # a terminal's Ctrl-C is the parent's to decide on
        assert asyncio.run(replies(address, 50)) == [{"type": "done", "id": "m"}] * 50
        process.stdin.close()
        assert process.wait(20) == 0
        assert_all_gone(processes, cache, address)


def test_when_it_is_killed_postgresql_goes_too_and_the_next_start_sweeps(cache):
    with started([*CHILD, str(cache)], cache=cache) as (process, _):
        _, *postgres = family(process.pid)
        assert postgres
        process.kill()
        process.wait()
        assert survivors(postgres) == []
    left = [path for path in (cache / "instances").iterdir() if path.is_dir()]
    assert len(left) == 1
    with instance_folder(cache, "reference", stop=stop_survivor) as fresh:
        assert [path for path in (cache / "instances").iterdir() if path.is_dir()] == [fresh]


def test_when_postgresql_is_killed_it_ends_too_and_says_why(cache):
    with started(UP, cache=cache, stderr=subprocess.PIPE) as (process, address), process.stderr:
        processes = family(process.pid)
        (postmaster,) = psutil.Process(process.pid).children()
        postmaster.kill()
        said = process.stderr.read().decode()
        assert process.wait(20) == 3
        assert said.startswith("nightbench: the embedded PostgreSQL ended (exit code -9): ")
        assert "Traceback" not in said
        assert_all_gone(processes, cache, address)


def test_two_at_once_do_not_disturb_each_other(cache):
    with (
        started([*CHILD, str(cache)], cache=cache) as (_, first),
        started([*CHILD, str(cache)], cache=cache) as (_, second),
    ):
        assert first.dsn != second.dsn
        for address in (first, second):
            assert get_json(address.counters_url)["messages_received"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as somebody else")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not there")
def test_an_ordinary_user_can_run_it(tmp_path):
    """As uid 65534, in a cache of that user's.

    Python and the project may lie in a folder that only root may enter, so it may enter any folder.
    """
    folder = tmp_path / "cache"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    command = [
        *("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
        *("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"),
        sys.executable,
        *CHILD,
        str(folder),
    ]
    with started(command, cache=folder, start=cold) as (process, address):
        assert get_json(address.counters_url)["connections_open"] == 0
        processes = family(process.pid)
        postgres = psutil.Process(process.pid).children()
        assert {member.uids().effective for member in (processes[0], *postgres)} == {NOBODY}
        process.stdin.close()
        assert process.wait(20) == 0
        assert_all_gone(processes, folder, address)


def test_an_instance_of_a_living_owner_is_never_swept(tmp_path):
    with instance_folder(tmp_path, "kind") as mine, instance_folder(tmp_path, "kind"):
        assert mine.is_dir()
        assert mine in living(tmp_path, "kind")
        assert living(tmp_path, "other") == []
    assert living(tmp_path, "kind") == []


def test_start_is_told_when_the_cache_cannot_be_used():
    streams = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with nightbench().start(*CHILD, "/proc/nightbench", text=True, **streams) as child:
        said = child.stderr.read()
    assert child.returncode == 2
    assert "NIGHTBENCH_CACHE" in said
    assert "Traceback" not in said


def test_the_second_start_copies_instead_of_building(cache):
    template = next((cache / "postgres").glob("reference-*"))
    built = template.stat().st_mtime_ns
    with postgres_instance(cache, "again", reference_template()):
        pass
    assert template.stat().st_mtime_ns == built
