"""One PostgreSQL server process on a data folder: start, readiness, stop, and survivors of a dead owner."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from nightbench.errors import NightbenchError
from nightbench.reference.programs import command

START_SECONDS = 30.0
STOP_SECONDS = 8.0
"""How long each of the three ways to stop a server may take: SIGINT, then SIGQUIT, then SIGKILL."""

_TRIES = 5
_TICK = 0.02
_STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)


@dataclass(frozen=True)
class Running:
    """A server that accepts connections on `port` of 127.0.0.1."""

    port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    def has_ended(self) -> str | None:
        """How it ended, with the end of its log; None while it runs."""
        code = self.process.poll()
        return None if code is None else f"the embedded PostgreSQL ended (exit code {code}): {tail(self.log)}"


@contextmanager
def server(data: Path, log: Path, *settings: str) -> Iterator[Running]:
    """Run PostgreSQL on the data folder, listening on a free port of 127.0.0.1, for the length of the block.

    Args:
        data: The data folder.
        log: Where its output goes.
        settings: ``name=value`` on top of ``postgresql.conf``.

    Raises:
        NightbenchError: when it does not come up, with the end of its log.
    """
    running = _start(data, log, settings)
    try:
        yield running
    finally:
        stop(running.process)


def stop(process: subprocess.Popen[bytes] | psutil.Process) -> None:
    """Stop a server: fast shutdown first, harder after `STOP_SECONDS`."""
    for number in _STOP_SIGNALS:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            continue
        return


def stop_survivor(folder: Path) -> None:
    """Stop the PostgreSQL that still runs on ``folder/data``, if one does.

    The number in ``postmaster.pid`` may belong to another process by now, so the process must be a
    postgres that was started on this very folder.
    """
    data = folder / "data"
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
        words = process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return
    if words and Path(words[0]).name == "postgres" and str(data) in words:
        stop(process)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, joined into one."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return "no log"
    return " | ".join(line.strip() for line in text.strip().splitlines()[-lines:]) or "its log is empty"


def _start(data: Path, log: Path, settings: tuple[str, ...]) -> Running:
    for _ in range(_TRIES):
        port = _free_port()
        options = [word for setting in (f"port={port}", *settings) for word in ("-c", setting)]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # the wheel's own programs
                command("postgres", "-D", str(data), *options, dies_with_parent=True),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to pass on, in order
            )
        try:
            ready = _wait_until_ready(process, data)
        except BaseException:
            stop(process)
            raise
        if ready:
            return Running(port, process, log)
        stop(process)
        # Between the choice of the port and its use another program may take it.
        if "could not bind" not in log.read_text(errors="replace"):
            break
    msg = f"the embedded PostgreSQL did not start: {tail(log)}"
    raise NightbenchError(msg)


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            state = (data / "postmaster.pid").read_text().splitlines()
            if len(state) >= 8 and state[0] == str(process.pid) and state[7].strip() == "ready":
                return True
        time.sleep(_TICK)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
