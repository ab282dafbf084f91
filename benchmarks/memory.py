"""Memory per connected user at 5,000 users, over that of a generator with one user.

Resident memory is read from outside, while everybody is connected and says something once in ten seconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psutil

from benchmarks.contenders import Chat, k6, nightbench, plan_of
from benchmarks.processes import Server, server
from benchmarks.table import Figure, Goal

USERS = 5000
EVERY_SECONDS = 10
RAMP_SECONDS = 5.0
SECONDS = 18.0
_FROM, _TO = 8.0, 16.0
"""Seconds after the first connection between which memory is read: all are connected, nobody leaves yet."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Each contender with one user and with all of them."""
    say(f"nightbench, {USERS:,} users")
    ours = _per_user(_nightbench)
    say(f"k6, {USERS:,} users")
    theirs = _per_user(_k6)
    return [
        Figure("nightbench, memory per user", ours, "KiB", Goal("<=", 20)),
        Figure("k6 (k6/ws), memory per user", theirs, "KiB"),
        Figure("k6 ÷ nightbench", theirs / ours, "×"),
    ]


def _per_user(resident_kib: Callable[[int], float]) -> float:
    return (resident_kib(USERS) - resident_kib(1)) / (USERS - 1)


def _nightbench(users: int) -> float:
    chat = Chat(users, SECONDS - RAMP_SECONDS, users / EVERY_SECONDS)
    with server("echo") as subject:
        resident = _Resident(subject)
        nightbench(subject, plan_of(chat, ramp=RAMP_SECONDS), on_sample=resident)
    return resident.kib()


def _k6(users: int) -> float:
    chat = Chat(users, SECONDS, users / EVERY_SECONDS)
    with server("echo") as subject:
        resident = _Resident(subject)
        environment = chat.environment(subject.url)
        k6("exchanges_ws.js", subject, environment, seconds=2 * SECONDS, on_sample=resident)
    return resident.kib()


class _Resident:
    """Reads the resident memory of a process while all users are connected."""

    def __init__(self, subject: Server) -> None:
        self._subject = subject
        self._samples: list[int] = []

    def __call__(self, process: psutil.Process) -> None:
        first_at = self._subject.first_at
        if first_at is not None and _FROM <= time.monotonic() - first_at <= _TO:
            self._samples.append(process.memory_info().rss)

    def kib(self) -> float:
        """The median of what was read."""
        return statistics.median(self._samples) / 1024
