"""A real Dask cluster of the tests: a scheduler and workers as processes, and generators that its workers can import."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nightbench.load.progress import Progress

TESTS = Path(__file__).parents[1]
DEAD_API = "http://127.0.0.1:9/api"
"""Of a Prefect server that a worker does not reach."""
_ADDRESS = re.compile(r"(?:Scheduler at|Start worker at): +(tcp://[\d.]+:\d+)")
_REGISTERED = "Registered to"


@dataclass(frozen=True)
class Process:
    """A part of a cluster.

    Attributes:
        address: Where the others reach it.
        process: The command itself; of a worker that has no nanny.
    """

    address: str
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Spec:
    """What `steady` is told; the secret must go nowhere but to its worker."""

    secret: str
    start_at: int | None = None


@dataclass(frozen=True)
class Seen:
    """What it saw."""

    started_at: datetime
    starved: tuple[str, ...] = ()
    given_up: str | None = None


def steady(spec: Spec, on_progress, stop: threading.Event) -> Seen:
    """A load that goes on until it is told to end."""
    start = spec.start_at if spec.start_at is not None else time.time_ns()
    while not stop.wait(0.2):
        on_progress(Progress("websocket", "measure", 1.0, None, 1, 1.0, None, 0))
    return Seen(datetime.fromtimestamp(start / 1e9, UTC), given_up="interrupted")


def environment() -> dict[str, str]:
    """Of a machine of its own: what a flow has set here is not set there."""
    here = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "NIGHTBENCH_"))
    }
    return {**here, "PYTHONPATH": f"{TESTS / 'flows'}{os.pathsep}{TESTS.parent}", "PREFECT_API_URL": DEAD_API}


@contextmanager
def _started(*arguments: str, before: Sequence[str] = ()) -> Iterator[Process]:
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "dask", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield Process(_address(process), process)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    address, said = "", []
    for line in process.stderr:
        said.append(line)
        if found := _ADDRESS.search(line):
            address = found[1]
        if address and (_REGISTERED in line or "Scheduler at" in "".join(said)):
            # whoever does not read lets it wait
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return address
    raise AssertionError("".join(said))


@contextmanager
def scheduler(*, host: str = "127.0.0.1", before: Sequence[str] = ()) -> Iterator[str]:
    """A scheduler; its address."""
    arguments = (
        "scheduler",
        "--host",
        host,
        "--port",
        "0",
        "--no-dashboard",
        "--dashboard-address",
        f"{host}:0",
    )
    with _started(*arguments, before=before) as process:
        yield process.address


@contextmanager
def workers(address: str, count: int, *, before: Sequence[Sequence[str]] = ()) -> Iterator[list[Process]]:
    """So many workers with one thread each, in the namespaces that `before` enters."""
    arguments = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
    with ExitStack() as stack:
        yield [
            stack.enter_context(_started(*arguments, before=before[number] if before else ()))
            for number in range(count)
        ]
