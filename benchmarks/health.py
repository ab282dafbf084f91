"""Self-health: a healthy run is never invalid; a starved generator always is, with exit code 3."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.command_line import CommandRun, command
from benchmarks.processes import GENERATOR_CORE, ROOT, SERVER_CORE, Server, pinned, server
from benchmarks.table import Figure, Goal
from nightbench.errors import ExitCode

HEALTHY_RUNS = 20
STARVED_RUNS = 3
BURNERS = 16

HEALTHY = {"users": 100, "rate": 500, "ramp": 1, "warmup": 0.5, "duration": 3}
BUSY = {"users": 100, "rate": 3000, "ramp": 1, "warmup": 0, "duration": 4, "timeout": 4}
TOO_MUCH = {"users": 200, "rate": 60_000, "ramp": 1, "warmup": 0, "duration": 4, "timeout": 4}
CARELESS = {"users": 50, "rate": 300, "ramp": 1, "warmup": 0, "duration": 8, "timeout": 4}

GARBAGE = """
[plan.quick.websocket.reply]
match = "predicate"
predicate = "benchmarks.garbage:belongs"
"""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """All runs are commands, as typed; what counts is their exit code."""
    healthy = [_told(say, "healthy", turn, _healthy) for turn in range(HEALTHY_RUNS)]
    valid = sum(run.valid and run.exit_code != ExitCode.INVALID for run in healthy)
    why = "; ".join(sorted({reason for run in healthy for reason in run.reasons}))
    figures = [Figure("healthy runs that are valid", valid, "", Goal("==", HEALTHY_RUNS), note=why)]
    for name, starved in _STARVED.items():
        runs = [_told(say, name, turn, starved) for turn in range(STARVED_RUNS)]
        invalid = sum(not run.valid and run.exit_code == ExitCode.INVALID for run in runs)
        figures.append(
            Figure(
                f"{name}: runs that are invalid, with exit code 3",
                invalid,
                "",
                Goal("==", STARVED_RUNS),
                note=next((run.reasons[0] for run in runs if run.reasons), "no reason given"),
            )
        )
    return figures


def _told(say: Callable[[str], None], name: str, turn: int, run: Callable[[], CommandRun]) -> CommandRun:
    say(f"{name}, run {turn + 1}")
    return run()


def _healthy() -> CommandRun:
    with tempfile.TemporaryDirectory() as folder, server("echo") as subject:
        return command(subject, HEALTHY, Path(folder))


def _burnt_beside() -> CommandRun:
    """Many others want the generator's core as soon as it has begun."""
    with tempfile.TemporaryDirectory() as folder, server("echo") as subject, _burners(subject):
        return command(subject, BUSY, Path(folder), core=GENERATOR_CORE)


def _one_core() -> CommandRun:
    """Generator and server share one core, and are asked for more than it can do."""
    with tempfile.TemporaryDirectory() as folder, server("echo", core=SERVER_CORE) as subject:
        return command(subject, TOO_MUCH, Path(folder), core=SERVER_CORE)


def _garbage() -> CommandRun:
    """The plan brings a predicate that keeps the garbage collector busy."""
    with tempfile.TemporaryDirectory() as folder, server("echo") as subject:
        (Path(folder) / "nightbench.toml").write_text(GARBAGE, encoding="utf-8")
        return command(subject, CARELESS, Path(folder), core=GENERATOR_CORE)


_STARVED: dict[str, Callable[[], CommandRun]] = {
    "CPU burnt beside it": _burnt_beside,
    "one core": _one_core,
    "garbage collection": _garbage,
}


@contextlib.contextmanager
def _burners(subject: Server) -> Iterator[None]:
    """Burners on the generator's core from the first connection on; ended with the context."""
    burning: list[subprocess.Popen[bytes]] = []

    def burn() -> None:
        with pinned(GENERATOR_CORE):
            burning.extend(
                # each its own session, which the kernel may share cores out by (sched_autogroup)
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.burner"], cwd=ROOT, start_new_session=True
                )
                for _ in range(BURNERS)
            )

    subject.on_first.append(burn)
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()
