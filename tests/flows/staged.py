"""Suites that need no backend: what they return or raise is staged, and every step is written down.

Run as a program it is the command line with such suites: ``python staged.py STAGE run quick …``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders import database_measurement, invalidated, websocket_measurement

from nightbench.calibration import HostCalibration
from nightbench.history.store import HistoryStore
from nightbench.load.progress import Progress
from nightbench.measurement import Measurement
from nightbench.subject import Subject
from nightbench.tiers import TIERS

PASSWORD = "hunter2-password"
TOKEN = "hunter2-token"
SUBJECT = Subject(
    websocket_url=f"ws://pam:{PASSWORD}@127.0.0.1:9/chat",
    token=TOKEN,
    dsn=f"postgresql://app:{PASSWORD}@127.0.0.1:9/app",
)

_NUMBERS = itertools.count()

Stage = Callable[[Measurement, asyncio.Event], Any]
"""Given what a good run would have measured, and the stop event: return another, or raise, or wait."""


@dataclass
class Stages:
    """What happens instead of load.

    Attributes:
        of: By ``"<tier> <suite>"``; a suite that is not named runs well.
        steps: What happened, in order.
        plans: The plan of each suite that ran.
        labels: Role, suite and number of each run, in order.
    """

    of: dict[str, Stage] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    plans: dict[str, Any] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)

    async def websocket(self, plan, subject, label, *, on_progress, stop, **_of_the_night):
        seconds, rate = plan.duration, plan.messages_per_second
        on_progress(Progress("websocket", "measure", 1, seconds, plan.users, rate, 12.0, 0))
        return await self._run(websocket_measurement, "websocket", plan, label, stop)

    async def database(self, plan, subject, label, *, on_progress, stop, **_of_the_night):
        on_progress(Progress("database", "measure", 1, 8, 10, 99.0, 3.0, 0))
        return await self._run(database_measurement, "database", plan, label, stop)

    async def _run(self, build, suite, plan, label, stop):
        name = f"{label.tier} {suite}"
        self.plans[name] = plan
        self.steps.append(f"measure {name}")
        self.labels.append(f"{label.role} {name} {label.block}")
        users = {"users": plan.users} if suite == "websocket" else {}
        measurement = build(
            number=next(_NUMBERS),
            tier=label.tier,
            night_id=label.night_id,
            environment=label.environment,
            role=label.role,
            block=label.block,
            release=label.release,
            plan=plan,
            **users,
        )
        stage = self.of.get(name)
        if stage is None:
            return measurement
        result = stage(measurement, stop)
        return await result if asyncio.iscoroutine(result) else result


@asynccontextmanager
async def provide_staged_subject(*_args, **_kwargs) -> AsyncIterator[Subject]:
    yield SUBJECT


def staged_host(_folder: Path) -> HostCalibration:
    """A host that is not looked at."""
    return HostCalibration()


def raising(error: Exception) -> Stage:
    def stage(_measurement, _stop):
        raise error

    return stage


async def interrupted(measurement: Measurement, stop: asyncio.Event) -> Measurement:
    """A suite during which the user presses Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    await stop.wait()
    return invalidated(measurement, complete=False)


async def until_stopped(measurement: Measurement, stop: asyncio.Event) -> Measurement:
    """A suite that runs until it is asked to end early."""
    sys.stderr.write("measuring\n")
    sys.stderr.flush()
    await stop.wait()
    return invalidated(measurement, complete=False)


async def repeated_until_stopped(measurement: Measurement, stop: asyncio.Event) -> Measurement:
    """A suite that got slower, and of which the repetitions run until they are asked to end early."""
    slow = slower(measurement, stop)
    return await until_stopped(slow, stop) if measurement.role == "rerun" else slow


def without_prefect(measurement: Measurement, _stop: asyncio.Event) -> Measurement:
    """A suite during which the embedded Prefect server is killed."""
    (server,) = psutil.Process().children()
    server.kill()
    return measurement


def slower(measurement: Measurement, _stop: asyncio.Event) -> Measurement:
    """A fifth slower, with all that comes of it."""
    metrics = tuple(
        replace(metric, value=metric.value * 1.2)
        if metric.value is not None and ".response_time." in metric.name
        else metric
        for metric in measurement.metrics
    )
    return replace(measurement, metrics=metrics)


def with_earlier_nights(results: Path | str, nights: int = 10) -> None:
    """Store the WebSocket suite of so many quiet nights of the quick tier."""
    store = HistoryStore(results)
    for number in range(nights):
        wobble = 1 + 0.01 * (number % 3 - 1)
        run = websocket_measurement(
            number=number - 50, tier="quick", plan=TIERS["quick"].websocket, users=10, median_ms=20 * wobble
        )
        store.save(run, ())


def invalid(measurement: Measurement, _stop: asyncio.Event) -> Measurement:
    return invalidated(measurement, "the generator was saturated")


STAGES: dict[str, Stage] = {
    "good": lambda measurement, _stop: measurement,
    "until-stopped": until_stopped,
    "repeated-until-stopped": repeated_until_stopped,
    "interrupted": interrupted,
    "without-prefect": without_prefect,
}

__all__ = ["STAGES", "SUBJECT", "Stages", "interrupted", "invalid", "raising", "until_stopped"]

if __name__ == "__main__":
    import nightbench.night
    from nightbench.cli import main
    from nightbench.database import stress_test
    from nightbench.websocket import load_test

    stages = Stages(dict.fromkeys(("quick websocket", "baseline websocket"), STAGES[sys.argv[1]]))
    load_test.run = stages.websocket
    stress_test.run = stages.database
    nightbench.night.provide = provide_staged_subject
    nightbench.night.calibrate_host = staged_host
    main(sys.argv[2:])
