"""One load test in several processes of this machine: each does its part, from one agreed instant on."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from nightbench.load.child import PATIENCE_SECONDS, Generator, run_in_child
from nightbench.load.phases import SECOND
from nightbench.load.progress import OnProgress, Progress, combined

Spec = TypeVar("Spec")


class PartResult(Protocol):
    """What one shard saw."""

    @property
    def given_up(self) -> str | None:
        """Why it ended before its plan did, or None."""


Part = TypeVar("Part", bound=PartResult)


async def run_parts(
    generator: Callable[[Spec, OnProgress, Any], Part],
    specs: Sequence[Spec],
    *,
    on_progress: OnProgress,
    stop: asyncio.Event,
    grace: float,
    patience: float = PATIENCE_SECONDS,
) -> list[Part]:
    """Run each of `specs` in a process of its own and return what they saw, in order.

    When one of them gives up, the others end early too.

    Args:
        generator: See `run_in_child`.
        specs: One a shard.
        on_progress: Called with what they tell, as that of one.
        stop: When set, all end early.
        grace: Seconds that each may take to end after that.
        patience: Seconds that each may say nothing.

    Raises:
        ConfigurationError: as raised by a generator.
        MeasurementError: when one of them failed; the others are ended then.
    """
    reports: dict[int, Progress] = {}
    ending = asyncio.Event()

    def report(shard: int, progress: Progress) -> None:
        reports[shard] = progress
        if shard == min(reports):
            on_progress(combined(list(reports.values())))

    async def run(number: int, spec: Spec) -> Part:
        result: Part = await run_in_child(
            cast(Generator, generator),
            spec,
            on_progress=lambda progress: report(number, progress),
            stop=ending,
            grace=grace,
            patience=patience,
        )
        reports.pop(number, None)  # the others go on reporting
        if result.given_up is not None:
            ending.set()
        return result

    async def follow() -> None:
        await stop.wait()
        ending.set()

    tasks = [asyncio.create_task(run(number, spec)) for number, spec in enumerate(specs)]
    following = asyncio.create_task(follow())
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in (*tasks, following):
            task.cancel()
        await asyncio.gather(*tasks, following, return_exceptions=True)


def start_of(count: int, *, lead: float) -> int | None:
    """When `count` shards begin together, wall-clock ns; None, at once, for a single one."""
    return None if count == 1 else time.time_ns() + round(lead * SECOND)


def lead_seconds(count: int) -> float:
    """How long so many interpreters take to start on this machine, with room to spare."""
    return 2.0 + 2.0 * count / (os.cpu_count() or 1)
