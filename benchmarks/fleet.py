"""Shards side by side: the messages that a CPU-second buys in four against one, in processes and on Dask workers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import GENERATOR_CORE, ContenderError, run, server
from benchmarks.table import Figure, Goal, over_rounds

ROUNDS = 3
SHARDS = 4
_START_AND_END_SECONDS = 300.0


@dataclass(frozen=True)
class Work:
    """What is asked of shards, and what four of them must make of a CPU-second, as a share of what one makes.

    Attributes:
        plan: Of a load test by so many shards.
        dask: The fleet, as the setting names it; empty for processes of this machine.
        core: The one that all are held to; None for any.
    """

    name: str
    plan: Callable[[int], dict[str, Any]]
    dask: str = ""
    core: int | None = None
    goal: Goal | None = None


_OPEN = {"model": "open", "ramp": 1, "warmup": 1, "duration": 6}
_EFFICIENCY = Goal(">=", 0.9)


def _as_busy(shards: int) -> dict[str, Any]:
    return _OPEN | {"users": 50 * shards, "rate": 1000 * shards}


def _saturated(_shards: int) -> dict[str, Any]:
    return {"users": 400, "model": "closed", "think": 0, "ramp": 1, "warmup": 1, "duration": 6}


def _dealt_out(_shards: int) -> dict[str, Any]:
    return _OPEN | {"users": 100, "rate": 4000}


WORKS = (
    Work("processes, each as busy as the one", _as_busy, goal=_EFFICIENCY),
    Work("Dask, each as busy as the one", _as_busy, dask="local", goal=_EFFICIENCY),
    Work("processes, nobody waits", _saturated, core=GENERATOR_CORE, goal=_EFFICIENCY),
    # each wakes up for fewer messages at a time, which is most of what a message costs: shards are for more load
    Work("processes, 4,000/s dealt out", _dealt_out),
)


@dataclass(frozen=True)
class Turn:
    """One load test.

    Attributes:
        messages: That were answered while it measured.
        generator_seconds: CPU of the generators in that time.
        fleet_seconds: CPU of all else that it started: interpreters, ramp, and of Dask its workers.
    """

    messages: int
    generator_seconds: float
    fleet_seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Messages that a second of the generators' CPU bought."""
        return self.messages / self.generator_seconds


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Turns of one and of four shards for each kind of work, round by round."""
    turns: dict[tuple[str, int], list[Turn]] = {}
    for number in range(1, ROUNDS + 1):
        for work in WORKS:
            for shards in (1, SHARDS):
                say(f"round {number} of {ROUNDS}: {work.name}, {shards}")
                turns.setdefault((work.name, shards), []).append(_turn(work, shards))
    return [
        figure for work in WORKS for figure in _figures(work, turns[work.name, 1], turns[work.name, SHARDS])
    ]


def _figures(work: Work, alone: Sequence[Turn], several: Sequence[Turn]) -> list[Figure]:
    ratios = [many.per_cpu_second / one.per_cpu_second for one, many in zip(alone, several, strict=True)]
    beside = [turn.fleet_seconds for turn in several]
    name = work.name
    return [
        over_rounds(f"{name}: 1 shard", [turn.per_cpu_second for turn in alone], "per CPU-second"),
        over_rounds(f"{name}: {SHARDS} shards", [turn.per_cpu_second for turn in several], "per CPU-second"),
        over_rounds(f"{name}: {SHARDS} shards ÷ 1", ratios, "×", work.goal),
        over_rounds(f"{name}: beside the load", beside, "CPU-seconds", note=f"of {SHARDS} shards"),
    ]


def _turn(work: Work, shards: int) -> Turn:
    """One load test in a process of its own.

    Raises:
        ContenderError: when it gave no result.
    """
    plan = work.plan(shards) | {"shards": shards}
    with server("echo") as subject:
        cost = run(
            [sys.executable, "-m", "benchmarks.fleet", str(subject.port), work.dask, json.dumps(plan)],
            environment={"PREFECT_API_URL": "http://127.0.0.1:9/api", "DO_NOT_TRACK": "1"},
            core=work.core,
            within=plan["duration"] + _START_AND_END_SECONDS,
        )
    if cost.exit_code != 0:
        raise ContenderError(cost.errors.strip()[-500:])
    said = json.loads(cost.output.splitlines()[-1])
    return Turn(said["messages"], said["cpu"], cost.total_seconds - said["cpu"])


async def _load(port: int, dask: str, numbers: dict[str, Any]) -> dict[str, float]:
    from flows.fleet.choice import fleet_of  # noqa: PLC0415  # only the process that loads has a use for it
    from nightbench.measurement import RunLabel  # noqa: PLC0415
    from nightbench.plan import WebSocketPlan  # noqa: PLC0415
    from nightbench.subject import Subject  # noqa: PLC0415
    from nightbench.websocket import load_test  # noqa: PLC0415

    measurement = await load_test.run(
        WebSocketPlan(**numbers),
        Subject(websocket_url=f"ws://127.0.0.1:{port}/"),
        RunLabel("quick", "night", "benchmark"),
        on_progress=lambda _progress: None,
        stop=asyncio.Event(),
        fleet=fleet_of(dask or None),
    )
    cpu = measurement.value("generator.cpu_seconds")
    assert cpu is not None
    return {"messages": measurement.operations["message"].ok, "cpu": cpu}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_load(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])))))
