"""The reference backend as its users start it: ``nightbench reference up`` in a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from warm import NIGHTBENCH, nightbench

from nightbench.reference.supervisor import Address

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache")
UP = [*NIGHTBENCH, "reference", "up", "--json"]


def cold(*arguments, **how):
    """Start a program by an interpreter of its own, as its users do; `arguments` begin with it."""
    return subprocess.Popen(arguments, **how)


@contextlib.contextmanager
def started(command, *, cache, start=None, **options):
    """A process that has told its address, started warm unless `start` says how; killed at the end if it still runs."""
    start = start or nightbench().start
    environment = {**os.environ, "NIGHTBENCH_CACHE": str(cache)}
    process = start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **options)
    try:
        line = process.stdout.readline()
        assert line, "it ended before it was ready"
        yield process, Address(**json.loads(line))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            stream.close()


@contextlib.contextmanager
def running(*flags):
    """The address of a reference backend that is staged by `flags`."""
    with started([*UP, *flags], cache=CACHE) as (process, address):
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.fixture(scope="session")
def healthy():
    """A backend without delay or fault."""
    with running("--delay", "fixed", "--delay-ms", "0") as address:
        yield address


def get_json(url):
    with urllib.request.urlopen(url) as response:
        return json.load(response)
