"""A generator that is starved says so: its run is invalid, never slow, and never a pass."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress

import psutil
import pytest
from servers import chat_server, polite

BURNERS = 16
MEASURED_SECONDS = 4
GARBAGE = """
import gc
import itertools

KEPT = []
CALLS = itertools.count()


def belongs(message_id, message):
    call = next(CALLS)  # two a reply, 40 a second
    if call == 100:  # after the warm-up: what is there when the measure phase begins is not looked at again
        KEPT.extend([] for _ in range(3_000_000))
    if 100 <= call < 112:
        gc.collect()
    return message["id"] == message_id
"""


def command(url, *flags, warmup="1", duration=MEASURED_SECONDS):
    return [
        *(sys.executable, "-m", "nightbench", "websocket", "--url", url, "--users", "10"),
        *("--duration", str(duration)),
        *("--warmup", warmup, "--timeout", "5", "--json", "-", *flags),
    ]


@contextmanager
def burners(core):
    """Processes that want nothing but this core."""
    # each in a session of its own: where the kernel shares by session, each has its share
    command = [sys.executable, "-c", "while True: pass"]
    started = [psutil.Popen(command, start_new_session=True) for _ in range(BURNERS)]
    try:
        for process in started:
            process.cpu_affinity([core])
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def ended(process):
    """What a command printed to stdout when it ended by itself, and its exit code."""
    output, errors = process.communicate(timeout=120)
    assert output, errors
    return json.loads(output), process.returncode


def start(arguments, folder):
    return psutil.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_invalid(document, code, *reasons):
    assert code == 3
    assert not document["validity"]["valid"]
    told = "; ".join(document["validity"]["reasons"])
    assert any(reason in told for reason in reasons), told
    assert "quieter machine" in told or "fewer users" in told


@pytest.mark.slow
@pytest.mark.greedy
def test_with_its_core_burnt_by_others_the_run_is_invalid(tmp_path):
    core = max(os.sched_getaffinity(0))
    with chat_server(polite) as url:
        process = start(command(url, "--rate", "1000"), tmp_path)
        process.cpu_affinity([core])  # and so the generator that it starts
        try:
            while "measure" not in (line := process.stderr.readline()):
                assert line, "it ended before it measured"
            with burners(core):
                for child in process.children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        child.nice(19)  # as when a machine has more important things to do
                with suppress(psutil.TimeoutExpired):
                    process.wait(MEASURED_SECONDS)  # what comes after is not judged, and would take long
            document, code = ended(process)
        finally:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    assert_invalid(document, code, "for a core", "late by")


@pytest.mark.slow
@pytest.mark.greedy
def test_under_pressure_of_its_garbage_collector_the_run_is_invalid(tmp_path):
    (tmp_path / "garbage.py").write_text(GARBAGE)
    plan = tmp_path / "plan.yaml"
    plan.write_text("websocket:\n  reply: {match: predicate, predicate: 'garbage:belongs'}\n")
    with chat_server(polite) as url:
        document, code = ended(start(command(url, "--rate", "20", "--plan", str(plan)), tmp_path))
    assert_invalid(document, code, "garbage collect", "late by")


@pytest.mark.slow
@pytest.mark.greedy
def test_asked_for_more_than_a_core_can_do_the_run_is_invalid(tmp_path):
    with chat_server(polite) as url:
        # no warm-up: a slow machine would give it up before anything is measured
        document, code = ended(start(command(url, "--rate", "300000", warmup="0", duration=2), tmp_path))
    assert_invalid(document, code, "of a core", "late by")
