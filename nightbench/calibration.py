"""What this host gives at the moment: a fixed piece of work on its CPU, its loopback and its disk.

Before each run, so that a night on a disturbed host can be told from a slower subject. The lower quartile of many
short repeats: it hardly sees a neighbour that comes and goes, and sees one that stays. From call to call it
varies (standard deviation) by 2 % on the CPU, by up to 10 % on loopback and a disk of one's own, and as much as
itself on a disk that others write to.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

from nightbench.files import reason
from nightbench.measurement import Metric

CPU_TIME = "calibration.cpu_time"
ECHO_TIME = "calibration.echo_time"
FSYNC_TIME = "calibration.fsync_time"

MOST_SECONDS = 0.15
"""Of one kind of work, whatever the host; `_LEAST` repeats are made in any case."""

_LEAST = 5
_CPU_REPEATS, _ECHO_REPEATS, _FSYNC_REPEATS = 50, 2_000, 40
_STEPS = 20_000  # about 2 ms
_MESSAGE = b"x" * 64
_PAGE = b"x" * 8192
_PATIENCE = 2.0  # seconds for one answer on loopback


@dataclass(frozen=True)
class HostCalibration:
    """What the host gave.

    Attributes:
        metrics: ``calibration.cpu_time``, ``.echo_time`` and ``.fsync_time``, ms; None where it could not be had.
        notes: Why not, a sentence each.
    """

    metrics: tuple[Metric, ...] = ()
    notes: tuple[str, ...] = ()


def calibrate_host(folder: Path) -> HostCalibration:
    """Measure the host; it takes about 0.3 s and never raises for what the host refuses.

    Args:
        folder: On the disk that is to be measured; made when it is not there.
    """
    kinds: dict[str, Callable[[], list[int]]] = {
        CPU_TIME: lambda: _repeated(_cpu(), _CPU_REPEATS),
        ECHO_TIME: lambda: _repeated(_echo(), _ECHO_REPEATS),
        FSYNC_TIME: lambda: _repeated(_fsync(folder), _FSYNC_REPEATS),
    }
    metrics, notes = [], []
    for name, measure in kinds.items():
        try:
            durations = measure()
        except OSError as error:
            durations = []
            notes.append(f"{name} could not be measured: {reason(error)}")
        metrics.append(Metric(name, _lower_quartile_ms(durations), "ms", len(durations)))
    return HostCalibration(tuple(metrics), tuple(notes))


def _repeated(work: Iterator[int], most: int) -> list[int]:
    """The durations of `work`, ns: `most` of them, or fewer when they take too long."""
    begin = perf_counter_ns()
    durations: list[int] = []
    for duration in work:
        durations.append(duration)
        late = perf_counter_ns() - begin > MOST_SECONDS * 1e9
        if len(durations) >= most or (late and len(durations) >= _LEAST):
            break
    work.close()  # type: ignore[attr-defined]  # they are generators: what they hold is freed now
    return durations


def _lower_quartile_ms(durations: list[int]) -> float | None:
    return sorted(durations)[len(durations) // 4] / 1e6 if durations else None


def _cpu() -> Iterator[int]:
    """A pure Python loop, which is what the load generator runs."""
    while True:
        begin = perf_counter_ns()
        value = 0
        for step in range(_STEPS):
            value = (value * 1_103_515_245 + step) & 0xFFFFFFFF
        yield perf_counter_ns() - begin


def _echo() -> Iterator[int]:
    """A message over TCP on 127.0.0.1 to another thread and back."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_PATIENCE)
        thread = threading.Thread(target=_answer, args=(listening,), name="echo", daemon=True)
        thread.start()
        try:
            with socket.create_connection(listening.getsockname(), timeout=_PATIENCE) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    begin = perf_counter_ns()
                    connection.sendall(_MESSAGE)
                    if not connection.recv(len(_MESSAGE)):
                        raise ConnectionResetError
                    yield perf_counter_ns() - begin
        finally:
            thread.join(_PATIENCE)  # it ends when the connection does


def _answer(listening: socket.socket) -> None:
    try:
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(_PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while message := connection.recv(len(_MESSAGE)):
                connection.sendall(message)
    except OSError:
        return  # the other end tells


def _fsync(folder: Path) -> Iterator[int]:
    """A page of a file without a name, until the disk says that it has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        while True:
            os.pwrite(file.fileno(), _PAGE, 0)
            begin = perf_counter_ns()
            os.fsync(file.fileno())
            yield perf_counter_ns() - begin
