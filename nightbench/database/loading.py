"""How the shards of a database stress test are run: from the steward's process, or by its parent for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Self

from nightbench.database.result import LoadResult, LoadSpec
from nightbench.errors import MeasurementError
from nightbench.load.child import PATIENCE_SECONDS, start_child
from nightbench.load.child_side import ask_parent
from nightbench.load.fleet import UNHEARD_SECONDS, Crew, LocalCrew
from nightbench.load.progress import OnProgress
from nightbench.load.shards import Parts, run_parts
from nightbench.plan import DatabasePlan
from nightbench.processes import Process, end

CONNECT_SECONDS = 0.02
LOOK_SECONDS = 0.1
"""How often it is seen whether the run is to end."""
END_SECONDS = 10.0
"""How long an interrupted generator may take to end, on top of what the plan gives one operation."""

GENERATOR = "nightbench.database.generator:run_generator"


def run_generator(spec: LoadSpec, on_progress: OnProgress, stop: threading.Event) -> LoadResult:
    """That of `GENERATOR`, with what it imports left to where the load is made."""
    from nightbench.database import generator  # noqa: PLC0415  # SQLAlchemy

    return generator.run_generator(spec, on_progress, stop)


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


class Processes:
    """Child processes of this one for the load of `plan`, which start beside whatever is done inside the block.

    Once they wait for what they are told they do nothing, and they end with the block.
    """

    def __init__(self, plan: DatabasePlan) -> None:
        self._plan = plan
        self._runner = asyncio.Runner()
        self._ahead: list[Process] = []

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):  # who cannot start one now is told when the load begins
            self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._end())
        self._runner.close()

    def run(
        self, specs: Sequence[LoadSpec], on_progress: OnProgress, stop: threading.Event
    ) -> Parts[LoadResult]:
        """Run each shard in one of them; all end early when `stop` is set."""
        return self._runner.run(self._run(specs, on_progress, stop))

    async def _start(self) -> None:
        for _ in range(self._plan.shards):
            self._ahead.append(await start_child(GENERATOR))

    async def _run(
        self, specs: Sequence[LoadSpec], on_progress: OnProgress, stop: threading.Event
    ) -> Parts[LoadResult]:
        ending = asyncio.Event()

        async def follow() -> None:
            while not stop.is_set():  # noqa: ASYNC110  # a thread's event is nothing to wait for
                await asyncio.sleep(LOOK_SECONDS)
            ending.set()

        following = asyncio.create_task(follow())
        try:
            crew = LocalCrew(self._plan.shards, lead_of(self._plan), ahead=self._ahead)
            return await run_load(specs, crew=crew, on_progress=on_progress, stop=ending)
        finally:
            following.cancel()

    async def _end(self) -> None:
        """Of those that no load was given to: it never came to that."""
        for process in self._ahead:
            await end(process, grace=END_SECONDS)


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
