"""One load test in several processes of this machine: each does its part, from one agreed instant on."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace

from nightbench.load.child import PATIENCE_SECONDS, run_in_child
from nightbench.load.phases import SECOND
from nightbench.load.progress import OnProgress, Progress, combined
from nightbench.websocket.generator import run_generator
from nightbench.websocket.result import Shard, WebSocketResult, WebSocketSpec, merged

GRACE_SECONDS = 15.0
"""How long an interrupted generator may take to drain and disconnect."""


async def run_shards(spec: WebSocketSpec, *, on_progress: OnProgress, stop: asyncio.Event) -> WebSocketResult:
    """Run the load test of `spec` in as many processes as its plan asks for, and return what they saw together.

    When one of them gives up, the others end early too.

    Raises:
        ConfigurationError: as raised by a generator.
        MeasurementError: when one of them failed; the others are ended then.
    """
    count = spec.plan.shards
    lead = _lead_seconds(count, rows=len(spec.provisions.rows))
    shards = split(spec, count, start_at=time.time_ns() + round(lead * SECOND))
    reports: dict[int, Progress] = {}
    ending = asyncio.Event()

    def report(shard: int, progress: Progress) -> None:
        reports[shard] = progress
        if shard == min(reports):
            on_progress(combined(list(reports.values())))

    async def run(number: int, shard: WebSocketSpec) -> WebSocketResult:
        result: WebSocketResult = await run_in_child(
            run_generator,
            shard,
            on_progress=lambda progress: report(number, progress),
            stop=ending,
            grace=GRACE_SECONDS,
            patience=PATIENCE_SECONDS + lead,  # it waits for the start in silence
        )
        reports.pop(number, None)  # the others go on reporting
        if result.given_up is not None:
            ending.set()
        return result

    async def follow() -> None:
        await stop.wait()
        ending.set()

    tasks = [asyncio.create_task(run(number, shard)) for number, shard in enumerate(shards)]
    following = asyncio.create_task(follow())
    try:
        return merged(await asyncio.gather(*tasks))
    finally:
        for task in (*tasks, following):
            task.cancel()
        await asyncio.gather(*tasks, following, return_exceptions=True)


def split(spec: WebSocketSpec, count: int, *, start_at: int) -> list[WebSocketSpec]:
    """The shards of a load test: the users are dealt out, and with them the rate, the ids and what is drawn.

    Args:
        spec: Of the whole.
        count: How many.
        start_at: When all of them begin, wall-clock ns; a single one begins at once.
    """
    if count == 1:
        return [spec]
    return [replace(spec, shard=Shard(index, count), start_at=start_at) for index in range(count)]


def _lead_seconds(count: int, *, rows: int) -> float:
    """How long so many interpreters take to start on this machine and to read the data, with room to spare."""
    return 2.0 + 2.0 * count / (os.cpu_count() or 1) + 10e-6 * rows * count
