"""Ten minutes at 2,000 messages a second: what the generator grows by, and what the run takes on disk."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.command_line import command, generator_of
from benchmarks.processes import Server, server
from benchmarks.table import Figure, Goal

SECONDS = 600
PLAN = {"users": 100, "rate": 2000, "ramp": 2, "warmup": 0, "duration": SECONDS}
_MIB = 2**20


def measure(say: Callable[[str], None]) -> list[Figure]:
    """One run of the command, its generator watched from outside."""
    with tempfile.TemporaryDirectory() as folder, server("echo") as subject:
        watch = _Watch(subject, say)
        ran = command(subject, PLAN, Path(folder), on_sample=watch)
        parquet = sum(path.stat().st_size for path in (Path(folder) / "results").rglob("*.parquet"))
    message = ran.document["operations"]["message"]
    base = statistics.median(watch.between(55, 65))
    loaded = max(watch.between(65, SECONDS))
    whole = max(watch.between(65, float("inf")))
    return [
        Figure("memory after the first minute", base / _MIB, "MiB"),
        Figure("grown until the load's end", (loaded - base) / _MIB, "MiB", Goal("<", 10)),
        Figure("grown until the process's end", (whole - base) / _MIB, "MiB", Goal("<", 10)),
        Figure("Parquet of the run", parquet / 1000, "KB", Goal("<=", 300)),
        Figure("messages", message["scheduled"]),
        Figure(
            "messages not answered well", message["scheduled"] - message["ok"], note=f"{message['errors']}"
        ),
        Figure("reasons against validity", len(ran.reasons), "", Goal("==", 0), note="; ".join(ran.reasons)),
    ]


class _Watch:
    """Reads the generator's resident memory twice a second."""

    def __init__(self, subject: Server, say: Callable[[str], None]) -> None:
        self._subject = subject
        self._say = say
        self._generator: psutil.Process | None = None
        self._samples: list[tuple[float, int]] = []

    def __call__(self, process: psutil.Process) -> None:
        if self._subject.first_at is None:
            return
        at = time.monotonic() - self._subject.first_at
        if self._samples and at - self._samples[-1][0] < 0.5:
            return
        self._generator = self._generator or generator_of(process)
        if self._generator is not None:
            self._samples.append((at, self._generator.memory_info().rss))
            self._say(f"{at:.0f} of {SECONDS} s, {self._samples[-1][1] / _MIB:.0f} MiB")

    def between(self, since: float, until: float) -> list[int]:
        """Bytes, read so many seconds after the first connection."""
        return [resident for at, resident in self._samples if since <= at <= until]
