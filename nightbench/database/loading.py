"""How the shards of a database stress test are run: from the steward's process, or by its parent for it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

from nightbench.database.generator import run_generator
from nightbench.database.result import LoadResult, LoadSpec
from nightbench.errors import MeasurementError
from nightbench.load.child import PATIENCE_SECONDS, ask_parent
from nightbench.load.fleet import LOCAL, UNHEARD_SECONDS, Crew
from nightbench.load.progress import OnProgress
from nightbench.load.shards import Parts, run_parts
from nightbench.plan import DatabasePlan

CONNECT_SECONDS = 0.02
LOOK_SECONDS = 0.1
"""How often it is seen whether the run is to end."""
END_SECONDS = 10.0
"""How long an interrupted generator may take to end, on top of what the plan gives one operation."""


def one_operation(plan: DatabasePlan) -> float:
    """How many seconds the plan gives one operation, in which a generator may hear nothing."""
    return plan.pool_timeout + plan.statement_timeout


def lead_of(plan: DatabasePlan) -> float:
    """Seconds that the shards of a stress test need before the load: they fill their pools."""
    return CONNECT_SECONDS * plan.pool_connections


async def run_load(
    specs: Sequence[LoadSpec], *, crew: Crew, on_progress: OnProgress, stop: asyncio.Event
) -> Parts[LoadResult]:
    """Have `crew` run the shards of a stress test; see `run_parts`."""
    seconds = one_operation(specs[0].plan)
    return await run_parts(
        run_generator,
        specs,
        crew=crew,
        on_progress=on_progress,
        stop=stop,
        grace=END_SECONDS + seconds,
        patience=PATIENCE_SECONDS + seconds,  # in which it waits in silence at the end
    )


def in_processes(
    specs: Sequence[LoadSpec], on_progress: OnProgress, stop: threading.Event
) -> Parts[LoadResult]:
    """Run each shard in a child process of this one; all end early when `stop` is set."""
    return asyncio.run(_in_processes(specs, on_progress, stop))


async def _in_processes(
    specs: Sequence[LoadSpec], on_progress: OnProgress, stop: threading.Event
) -> Parts[LoadResult]:
    ending = asyncio.Event()

    async def follow() -> None:
        while not stop.is_set():  # noqa: ASYNC110  # a thread's event is nothing to wait for
            await asyncio.sleep(LOOK_SECONDS)
        ending.set()

    following = asyncio.create_task(follow())
    plan = specs[0].plan
    try:
        async with LOCAL.crew("database", plan.shards, lead=lead_of(plan)) as crew:
            return await run_load(specs, crew=crew, on_progress=on_progress, stop=ending)
    finally:
        following.cancel()


def by_parent(specs: Sequence[LoadSpec], on_progress: OnProgress, stop: threading.Event) -> Parts[LoadResult]:
    """Have the parent of this process run the shards; it hears by itself of a wish to end.

    Raises:
        MeasurementError: when none of them has a result, or the parent is gone.
    """
    try:
        parts: Parts[LoadResult] = ask_parent(specs, on_progress)
    except MeasurementError:
        if stop.is_set():  # the parent is gone: others still write, and that is to be removed too
            time.sleep(UNHEARD_SECONDS)
        raise
    return parts
