"""10,000 users connected and chatting, each once in ten seconds, for a minute, with the server beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.command_line import command
from benchmarks.processes import server
from benchmarks.table import Figure, Goal

USERS = 10_000
SECONDS = 60
PLAN = {"users": USERS, "rate": USERS / 10, "ramp": 20, "warmup": 2, "duration": SECONDS}


def measure(say: Callable[[str], None]) -> list[Figure]:
    """One run of the command."""
    say(f"{USERS:,} users for {SECONDS} s")
    with tempfile.TemporaryDirectory() as folder, server("echo") as subject:
        ran = command(subject, PLAN, Path(folder))
    connection, message = (ran.document["operations"][name] for name in ("connection", "message"))
    return [
        Figure("users connected", connection["ok"], "", Goal(">=", USERS)),
        Figure("connections that failed", connection["scheduled"] - connection["ok"], "", Goal("==", 0)),
        Figure("connections lost", ran.metric("connection.lost"), "", Goal("==", 0)),
        Figure("messages not answered well", message["scheduled"] - message["ok"], "", Goal("==", 0)),
        Figure("reasons against validity", len(ran.reasons), "", Goal("==", 0), note="; ".join(ran.reasons)),
        Figure("exit code", ran.exit_code, "", Goal("==", 0)),
        Figure("response time P99", ran.metric("message.response_time.p99"), "ms"),
        Figure("send lag P99", ran.metric("message.send_lag.p99"), "ms"),
        Figure("generator CPU", ran.metric("generator.cpu_seconds"), "s"),
    ]
