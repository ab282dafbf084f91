"""The crew of one load test on a Dask cluster: what it submits, and how it follows each shard to its end."""

from __future__ import annotations

import asyncio
import pickle
import secrets
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from distributed import Client
from prefect.client.schemas.objects import State
from prefect.settings import temporary_settings
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from flows.fleet.crashed import tell_crashed
from flows.fleet.link import ShardLink
from flows.fleet.protocol import BEAT_SECONDS, Begin, Instruction, Order
from flows.fleet.sent_context import light_context
from flows.fleet.shard import load_shard
from nightbench.errors import MeasurementError, NotBegunError
from nightbench.load.child_side import Generator
from nightbench.load.fleet import start_of
from nightbench.load.machines import Station, as_one_host, described, start_seconds
from nightbench.load.messages import Message, value_of
from nightbench.load.phases import INTERRUPTED_DRAIN_SECONDS, SECOND
from nightbench.load.progress import OnProgress
from nightbench.plan import Suite
from nightbench.scrub import one_line

READY_SECONDS = 60.0
"""How long a shard may take until its task runs: its worker was free when it was chosen."""
LATE_SECONDS = 10.0
"""How long the result of a shard that was told to end may take, beyond its grace."""
_ORPHANED_SECONDS = INTERRUPTED_DRAIN_SECONDS + 1.0
"""How long the generator of a worker that was killed goes on."""


class DaskCrew:
    """Each shard on a worker of a Dask cluster, one on each of its threads."""

    is_here = False

    def __init__(
        self,
        suite: Suite,
        stations: Sequence[Station],
        client: Client,
        runner: DaskTaskRunner,
        *,
        lead: float,
    ) -> None:
        self.host: Mapping[str, Any] = as_one_host(stations, fleet="Dask")
        self.details: Mapping[str, Any] = {"machines": described(stations)}
        self._suite = suite
        self._stations = stations
        self._client = client
        self._runner = runner
        self._lead = start_seconds(stations) + lead
        self._ready: set[int] = set()
        self._all_ready = asyncio.Event()
        self._start: int | None = None
        self._under_way = 0
        self._orphaned_until = 0.0
        self._telling: set[asyncio.Task[None]] = set()

    async def run(
        self,
        shard: int,
        generator: Generator,
        spec: Any,
        *,
        on_progress: OnProgress,
        stop: asyncio.Event,
        grace: float,
        patience: float,
    ) -> Any:
        """See `nightbench.load.fleet.Crew.run`."""
        station = self._stations[shard]
        order = Order(
            f"{self._suite}-{shard}-{secrets.token_hex(4)}",
            station.identity,
            f"{generator.__module__}:{generator.__qualname__}",
            await asyncio.to_thread(pickle.dumps, spec),
            grace=grace,
            patience=patience + self._lead,
        )
        link = ShardLink(self._client, station, order.key)
        self._under_way += 1
        ended, future = False, None
        try:
            future = await asyncio.to_thread(self._submit, shard, order, station)
            done = _done(future)
            await self._follow(shard, link, done, on_progress=on_progress, stop=stop, grace=grace)
            ended = done.is_set()
            return _as_ours(value_of(await _message(future)), station)
        except MeasurementError as error:
            if not ended:
                self._orphaned_until = time.monotonic() + _ORPHANED_SECONDS
                if future is not None:
                    self._tell(tell_crashed(future.task_run_id, error))
            raise
        finally:
            if not ended:
                await link.say_last(Instruction(stop=True))
            self._under_way -= 1
            if not self._under_way:  # nobody cleans up beside one that still writes
                await asyncio.sleep(self._orphaned_until - time.monotonic())

    def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        """Tell Prefect while others are told to end."""
        self._telling.add(asyncio.create_task(telling))

    async def close(self) -> None:
        """Wait until Prefect has been told, or does not listen."""
        if self._telling:
            await asyncio.wait(self._telling)

    def _submit(self, shard: int, order: Order, station: Station) -> PrefectDaskFuture[Message]:
        """Hand the shard to the cluster; in a thread, since it waits for an answer."""
        named = load_shard.with_options(task_run_name=f"{self._suite} shard {shard}")
        # a worker need not reach the Prefect server to run its shard, which is not shown there then
        unchecked = temporary_settings(updates={"client.server_version_check_enabled": False})
        with light_context(), unchecked:
            future = self._runner.client.submit(
                named,
                parameters={"order": order},
                return_type="state",
                key=order.key,
                workers=[station.address],
                allow_other_workers=False,
                retries=0,
                pure=False,
            )
        return PrefectDaskFuture(wrapped_future=future, task_run_id=future.task_run_id)

    async def _follow(
        self,
        shard: int,
        link: ShardLink,
        done: asyncio.Event,
        *,
        on_progress: OnProgress,
        stop: asyncio.Event,
        grace: float,
    ) -> None:
        """Talk with the shard until it has ended.

        Raises:
            MeasurementError: when it is lost, did not begin or does not end.
        """
        instruction = Instruction()
        limit = time.monotonic() + READY_SECONDS
        while not done.is_set():
            if (answer := await link.say(instruction)) is not None:
                for progress in answer.progress:
                    on_progress(progress)
                if answer.is_there:
                    self._is_ready(shard)
            news = [done]
            if instruction.begin is None:
                news.append(self._all_ready)
            if not instruction.stop:
                news.append(stop)
            await _any_of(news, seconds=BEAT_SECONDS)
            if instruction.begin is None and self._all_ready.is_set():
                instruction = replace(instruction, begin=self._begin(self._stations[shard]))
                limit = float("inf")
            if not instruction.stop and stop.is_set():
                instruction = replace(instruction, stop=True)
                limit = time.monotonic() + grace + LATE_SECONDS
            if time.monotonic() > limit:
                self._give_up(shard, instruction)

    def _give_up(self, shard: int, instruction: Instruction) -> None:
        where = f"the Dask worker {self._stations[shard].address}"
        if instruction.stop:
            raise MeasurementError(f"{where} did not end the shard when it was told to")
        if shard in self._ready:
            raise MeasurementError(f"other shards did not begin within {READY_SECONDS:.0f} s")
        msg = f"{where} did not begin the shard within {READY_SECONDS:.0f} s: is it busy with something else?"
        raise MeasurementError(msg)

    def _is_ready(self, shard: int) -> None:
        self._ready.add(shard)
        if len(self._ready) == len(self._stations) and not self._all_ready.is_set():
            self._start = start_of(len(self._stations), lead=self._lead)
            self._all_ready.set()

    def _begin(self, station: Station) -> Begin:
        return Begin(None if self._start is None else self._start + station.clock.ahead)


def _done(future: PrefectDaskFuture[Message]) -> asyncio.Event:
    """Set when the cluster has done with it, however."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(done.set)

    future.wrapped_future.add_done_callback(tell)
    return done


async def _message(future: PrefectDaskFuture[Message]) -> Message:
    """What became of a shard that has ended.

    Raises:
        MeasurementError: when it has no result.
    """
    try:
        state: State[Message] = await asyncio.to_thread(future.wrapped_future.result, LATE_SECONDS)
        return await state.aresult(raise_on_failure=True)
    except (MeasurementError, NotBegunError):
        raise
    except Exception as error:
        msg = one_line(f"its Dask worker gave no result: {type(error).__name__}: {error}")
        raise MeasurementError(msg) from error


def _as_ours(result: Any, station: Station) -> Any:
    """The result by our clock, and with what there is to say against theirs."""
    ours = result.started_at - timedelta(seconds=station.clock.ahead / SECOND)
    starved = (*result.starved, *filter(None, [station.clock.problem]))
    return replace(result, started_at=ours, starved=starved)


async def _any_of(events: Sequence[asyncio.Event], *, seconds: float) -> None:
    """Wait until one of them is set, or so long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
