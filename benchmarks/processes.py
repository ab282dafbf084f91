"""Contenders and their subject as processes, each on a core of its own, and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_SECONDS = 0.05

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = _CORES[0]
GENERATOR_CORE = _CORES[-1]
"""The same one on a machine with a single core."""

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTBENCH_")}
"""Whoever runs the benchmarks may have settings; none of them is measured."""


class ContenderError(Exception):
    """A contender or the server did not do what it was started for."""


@dataclass(frozen=True)
class Cost:
    """What a process took until it ended, with the children that it waited for.

    Attributes:
        total_seconds: CPU time, user and system, from `os.wait4`.
        load_seconds: Of that, what came after the server had heard of it first: starting up left out.
        output: Its standard output.
    """

    exit_code: int
    total_seconds: float
    load_seconds: float
    output: str
    errors: str


@dataclass
class Server:
    """A running server and what it says.

    Attributes:
        port: Where it listens on loopback.
        on_first: Called when it was first connected to, in a thread of its own.
        first_at: When that was, `time.monotonic`; None before.
        ended: Its last account: `connections`, `messages`, `stall`; empty until it has ended.
    """

    port: int
    on_first: list[Callable[[], None]] = field(default_factory=list)
    first_at: float | None = None
    ended: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address."""
        return f"ws://127.0.0.1:{self.port}/chat"


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """What this thread starts inside stays on `core`; it inherits that, so there is no moment before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def ahead_of_others() -> Iterator[None]:
    """What this thread starts inside goes before everybody else on its core, where this user may have that.

    For contenders that do nothing most of the time: what they wait for is then what they asked for.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def raise_file_limit() -> None:
    """Each connection is an open file, here and in what is started from here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def server(*arguments: str, core: int = SERVER_CORE) -> Iterator[Server]:
    """A server of `benchmarks.servers` while inside; its account is known afterwards.

    Raises:
        ContenderError: when it did not start.
    """
    command = [sys.executable, "-m", "benchmarks.servers", *arguments]
    with pinned(core):
        process = subprocess.Popen(  # noqa: S603  # our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        if not first:
            msg = f"the server did not start: {' '.join(command)}"
            raise ContenderError(msg)
        running = Server(json.loads(first)["port"])
        listener = threading.Thread(target=_listen, args=(running, process.stdout), daemon=True)
        listener.start()
        yield running
        process.stdin.close()  # its lifeline: it says its account and ends
        listener.join(30)
        if not running.ended:
            raise ContenderError("the server ended without its account")
    finally:
        process.kill()
        process.wait()


def _listen(running: Server, output: IO[str]) -> None:
    for line in output:
        account = json.loads(line)
        match account["event"]:
            case "first_connection":
                running.first_at = time.monotonic()
                for heard in running.on_first:
                    heard()
            case "end":
                running.ended.update(account)


OnSample = Callable[[psutil.Process], None]


def run(
    command: Sequence[str],
    *,
    heard_by: Server | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    core: int | None = GENERATOR_CORE,
    within: float,
    on_sample: OnSample | None = None,
) -> Cost:
    """Run a contender to its end and return what it cost.

    Args:
        command: What to start.
        heard_by: The server that it loads; its first connection tells where starting up ends.
        environment: Variables on top of this process's own, without settings of nightbench.
        folder: Where it runs.
        core: The one that it and its children are held to; None for any.
        within: Seconds after which it is killed.
        on_sample: Called about 20 times a second while it runs.

    Raises:
        ContenderError: when it took too long.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        with pinned(core) if core is not None else contextlib.nullcontext():
            process = subprocess.Popen(  # noqa: S603  # as the benchmark says
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=folder,
                env={**_ENVIRONMENT, **(environment or {})},
            )
        watched = psutil.Process(process.pid)
        before: list[float] = []
        if heard_by is not None:
            heard_by.on_first.append(lambda: before.append(_cpu_seconds(watched)))
        try:
            status, usage = _wait(process, watched, within, on_sample, command)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        output.seek(0)
        errors.seek(0)
        total = usage.ru_utime + usage.ru_stime
        return Cost(status, total, total - sum(before), output.read(), errors.read())


def _wait(
    process: subprocess.Popen[bytes],
    watched: psutil.Process,
    within: float,
    on_sample: OnSample | None,
    command: Sequence[str],
) -> tuple[int, resource.struct_rusage]:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)  # Popen must not wait for it again
            return process.returncode, usage
        if on_sample is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                on_sample(watched)
        time.sleep(SAMPLE_SECONDS)
    msg = f"not done within {within:.0f} s: {' '.join(command)}"
    raise ContenderError(msg)


def tree_cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and of all that it has started, user and system."""
    total = _cpu_seconds(process)
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += _cpu_seconds(child)
    return total


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system
