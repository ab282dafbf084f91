"""Where the load comes from when the settings name a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import dask
from distributed import Client, LocalCluster, Security
from prefect_dask.task_runners import DaskTaskRunner

from flows.fleet import worker_side
from flows.fleet.crew import DaskCrew
from flows.fleet.protocol import Answer, Instruction
from nightbench.errors import ConfigurationError
from nightbench.load.clocks import Clock, Trip
from nightbench.load.fleet import Crew
from nightbench.load.machines import Station, check_same, placed
from nightbench.plan import Suite
from nightbench.run_settings import DASK_SETTING
from nightbench.scrub import one_line, stored_address

CONNECT_SECONDS = 10.0
LOOK_SECONDS = 60.0
"""How long the workers may take to say what they are."""
CLOSE_SECONDS = 10.0
_UNANSWERED = (OSError, TimeoutError, ValueError, TypeError)
"""What Dask raises for a scheduler that is not there, and for an address that is none."""
_TRIPS = 8
"""In which a worker's clock is read."""
_QUIET = {"distributed.worker.profile.enabled": False}
"""Nobody looks at a profile of workers that only wait for a child process, which takes a few percent of a core."""


class DaskFleet:
    """The workers of a Dask cluster that runs already.

    Args:
        address: Of its scheduler.
        security: For a connection that the configuration of Dask does not describe.
    """

    def __init__(self, address: str, security: Security | None = None) -> None:
        self._address = address
        self._security = security

    @asynccontextmanager
    async def crew(self, suite: Suite, shards: int, *, lead: float) -> AsyncIterator[Crew]:
        """See `nightbench.load.fleet.Fleet.crew`; each call looks at the workers anew."""
        async with _quiet_logs(), _connected(self._address, self._security) as client:
            shown = stored_address(self._address)
            stations = placed(await _stations(client), shards, setting=DASK_SETTING, value=shown)
            runner = DaskTaskRunner(
                address=self._address,
                client_kwargs={"security": self._security, "timeout": CONNECT_SECONDS},
            )
            async with _entered(runner, self._address):
                crew = DaskCrew(suite, stations, client, runner, lead=lead)
                try:
                    yield crew
                finally:
                    await crew.close()


class LocalDaskFleet:
    """A cluster of this machine's, as large as each load test needs and as long as it takes."""

    @asynccontextmanager
    async def crew(self, suite: Suite, shards: int, *, lead: float) -> AsyncIterator[Crew]:
        """See `nightbench.load.fleet.Fleet.crew`."""
        security = Security.temporary()  # whoever can talk to a cluster can run programs as its user
        async with _quiet_logs():
            with dask.config.set(_QUIET):
                cluster = LocalCluster(
                    n_workers=shards,
                    threads_per_worker=1,
                    memory_limit=None,
                    preload=["flows.fleet.unhurried"],
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                    security=security,
                    asynchronous=True,
                )
            async with cluster:
                fleet = DaskFleet(cluster.scheduler_address, security)
                async with fleet.crew(suite, shards, lead=lead) as crew:
                    yield crew


@asynccontextmanager
async def _connected(address: str, security: Security | None) -> AsyncIterator[Client]:
    """A connection of our own: the one of the task runner is of another thread's.

    Raises:
        ConfigurationError: when there is no scheduler.
    """
    client = Client(
        address, asynchronous=True, set_as_default=False, timeout=CONNECT_SECONDS, security=security
    )
    try:
        await client
    except _UNANSWERED as error:
        raise _unanswered(address, error) from None
    try:
        yield client
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.close()


@asynccontextmanager
async def _entered(runner: DaskTaskRunner, address: str) -> AsyncIterator[None]:
    """Its connection, in a thread: it waits for answers.

    Raises:
        ConfigurationError: when the scheduler does not answer any more.
    """
    await asyncio.to_thread(runner.__enter__)
    try:
        try:  # each thread that finds it unconnected would connect
            await asyncio.to_thread(lambda: runner.client)
        except _UNANSWERED as error:
            raise _unanswered(address, error) from None
        yield
    finally:
        await asyncio.to_thread(runner.__exit__, None, None, None)


def _unanswered(address: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        DASK_SETTING,
        stored_address(address),
        f"no Dask scheduler answers there: {one_line(str(error) or type(error).__name__)}",
        "start `dask scheduler` and its workers, mend the address, or unset it to load from this machine",
    )


@asynccontextmanager
async def _quiet_logs() -> AsyncIterator[None]:
    """Of Dask, whose every connection is news to it."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _stations(client: Client) -> list[Station]:
    """What the workers of a cluster are.

    Raises:
        ConfigurationError: for the first that cannot run shards, or does not say what it is.
    """
    threads = await client.nthreads()
    busy = await client.processing()
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            hosts = await client.run(worker_side.look, workers=list(threads), on_error="return")
            return [
                await _station(client, address, hosts[address], count - len(busy.get(address, ())))
                for address, count in threads.items()
            ]
    except (TimeoutError, OSError) as error:
        problem = f"its workers do not answer: {one_line(str(error) or type(error).__name__)}"
        raise ConfigurationError(
            DASK_SETTING, "the cluster", problem, "restart them, and see what their logs say"
        ) from None


async def _station(client: Client, address: str, host: Any, free: int) -> Station:
    if isinstance(host, Exception):
        raise ConfigurationError(
            DASK_SETTING,
            address,
            f"that worker does not know nightbench: {one_line(str(host))}",
            "install nightbench there with its extra `dask`, in the same version as here",
        )
    check_same(address, host, setting=DASK_SETTING)
    trips, identity = [], ""
    for _ in range(_TRIPS):
        sent = time.time_ns()
        (answer,) = (await client.run(worker_side.hear, "", Instruction(), workers=[address])).values()
        received = time.time_ns()
        assert isinstance(answer, Answer)
        trips.append(Trip(sent, answer.clock, received))
        identity = answer.worker
    return Station(address, identity, free, host, Clock.of(trips))
