"""In a Dask worker: the shards that it runs, each in a child process, and what is said to them meanwhile.

`hear` is called in the worker's event loop, `run_shard` in one of its threads.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import pickle
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from distributed import Worker, get_worker

from flows.fleet.protocol import BEAT_SECONDS, LEASE_SECONDS, Answer, Begin, Instruction, Order
from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.host import fingerprint
from nightbench.load.child import run_in_child
from nightbench.load.child_side import Generator
from nightbench.load.messages import Message, Result, message_of
from nightbench.load.progress import Progress

_KEPT = 64
"""Reports of a generator that are kept until somebody asks; there is about one a second."""

_running: dict[str, RunningShard] = {}


class RunningShard:
    """A shard that is run here."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard_at = time.monotonic()
        self._reports: deque[Progress] = deque(maxlen=_KEPT)
        self._begun: asyncio.Future[Begin] = self._loop.create_future()
        self.stop = asyncio.Event()
        self.forgotten = False

    def hear(self, instruction: Instruction) -> tuple[Progress, ...]:
        """Take an instruction from another thread; return what there is to tell."""
        self._heard_at = time.monotonic()
        self._loop.call_soon_threadsafe(self._take, instruction)
        reports = []
        while self._reports:
            reports.append(self._reports.popleft())
        return tuple(reports)

    def tell(self, progress: Progress) -> None:
        """Keep it until somebody asks."""
        self._reports.append(progress)

    async def begun(self) -> Begin:
        """Wait until the load is to begin.

        Raises:
            NotBegunError: when it is to end instead.
        """
        stopping = asyncio.create_task(self.stop.wait())
        either: list[asyncio.Future[Any]] = [self._begun, stopping]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self.stop.is_set():
            raise NotBegunError
        return self._begun.result()

    async def watch(self) -> None:
        """End the shard when it hears nothing any more."""
        while time.monotonic() - self._heard_at < LEASE_SECONDS:  # noqa: ASYNC110  # nobody tells of a silence
            await asyncio.sleep(BEAT_SECONDS / 2)
        self.forgotten = True
        self.stop.set()

    def _take(self, instruction: Instruction) -> None:
        if instruction.begin is not None and not self._begun.done():
            self._begun.set_result(instruction.begin)
        if instruction.stop:
            self.stop.set()


def look() -> dict[str, Any]:
    """What this worker is, see `nightbench.host.fingerprint`; it has all that a shard needs in memory then.

    To import it takes seconds, in which a worker answers nobody, and would look like one that is lost.
    """
    importlib.import_module("flows.fleet.shard")
    importlib.import_module("prefect.task_engine")
    return fingerprint()


def hear(key: str, instruction: Instruction, dask_worker: Worker | None = None) -> Answer:
    """Tell `instruction` to the shard `key` of this process; Dask gives the worker."""
    _quieten()
    assert dask_worker is not None
    shard = _running.get(key)
    progress = () if shard is None else shard.hear(instruction)
    return Answer(time.time_ns(), dask_worker.id, shard is not None, progress)


async def run_shard(order: Order) -> Message:
    """Run a shard to its end in a child process and return what became of it.

    Raises:
        MeasurementError: when there is no result.
        NotBegunError: when it was to end before its load began.
    """
    if get_worker().id != order.worker:
        msg = "another worker has taken its place, and a load test that was begun is not begun again"
        raise MeasurementError(msg)
    with _known(order.key) as shard:
        watching = asyncio.create_task(shard.watch())
        try:
            return Result(await _load(order, shard))
        except ConfigurationError as error:
            return message_of(error)
        finally:
            watching.cancel()


async def _load(order: Order, shard: RunningShard) -> Any:
    begin = await shard.begun()
    module, name = order.generator.split(":")
    generator: Generator = getattr(importlib.import_module(module), name)
    spec = pickle.loads(order.spec)  # noqa: S301  # from whoever may run code here anyway
    result = await run_in_child(
        generator,
        replace(spec, start_at=begin.start_at),
        on_progress=shard.tell,
        stop=shard.stop,
        grace=order.grace,
        patience=order.patience,
    )
    if shard.forgotten:
        msg = f"it heard nothing for {LEASE_SECONDS:g} s and ended"
        raise MeasurementError(msg)
    return result


@contextmanager
def _known(key: str) -> Iterator[RunningShard]:
    shard = _running[key] = RunningShard()
    try:
        yield shard
    finally:
        del _running[key]


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is more than that somebody spoke to a shard, which is so every second."""
        return not (record.msg == "Run out-of-band function %r" and record.args == (hear.__name__,))


_quiet = _Quiet()


def _quieten() -> None:
    """Keep what is said every second out of the worker's log."""
    logger = logging.getLogger("distributed.worker")
    if _quiet not in logger.filters:
        logger.addFilter(_quiet)
