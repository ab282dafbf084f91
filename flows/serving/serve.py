"""``nightbench serve``: everything that nightly runs need, up together and down together."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from flows.in_process.environment import API_URL, check_reachable
from flows.serving import environment
from flows.serving.child import Child
from flows.serving.data_folder import alone, name_of
from flows.serving.own_server import OwnServer, own_server
from flows.serving.project_file import ProjectFile
from nightbench.errors import ConfigurationError, ExitCode, NightbenchError
from nightbench.scrub import scrub, stored_address

WORKER_GRACE_SECONDS = 75.0
"""What the worker has to end; its runs have 60 s of it, see `worker_process`."""
_GRACE_SECONDS = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_MOST_RESTARTS, _RESTARTS_WITHIN, _RESTART_AFTER = 5, 600.0, 5.0
AUTOMATIONS = Path("deployments") / "automations.yaml"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a running ``nightbench serve`` is found."""

    api_url: str
    seconds: float


@dataclass(frozen=True)
class Serving:
    """What is to be served, see `serve`."""

    file: Path
    data: Path
    api_url: str | None
    host: str
    port: int | None
    worker: bool
    tell: Tell
    on_ready: Callable[[Place], None]


def serve(
    *,
    file: Path,
    data: Path,
    api_url: str | None,
    host: str,
    port: int | None,
    worker: bool,
    tell: Tell,
    on_ready: Callable[[Place], None],
) -> ExitCode:
    """Run until a signal. In the main thread.

    Args:
        file: The project's ``prefect.yaml``; ``deployments/automations.yaml`` beside it, where there is one.
        data: The folder of the server's database and of all logs; kept.
        api_url: A server that is there already, or None to run one.
        host: What our own server listens on.
        port: And where; 0 for any that is free, None for Prefect's own 4200.
        worker: Whether runs are to be taken here.
        tell: Takes a line for the user.
        on_ready: Called once, when everything is up.

    Raises:
        ConfigurationError: when something cannot be used, or a ``nightbench serve`` of the same server runs.
        NightbenchError: when a part does not come up, or ends by itself.
    """
    file, data = file.absolute(), data.expanduser().absolute()
    serving = Serving(file, data, api_url, host, port, worker, tell, on_ready)
    ProjectFile.read(file)
    if api_url is not None:
        named = API_URL if os.environ.get(API_URL) == api_url else "--api-url"
        check_reachable(api_url, setting=named, way_out="leave it out to run a server of our own")
    with alone(data, api_url) as announce:
        asyncio.run(_until_told(serving, announce))
    tell("stopped")
    return ExitCode.MET


async def _until_told(serving: Serving, announce: Tell) -> None:
    """Serve until the first signal; the second lets no run end early."""
    loop, live = asyncio.get_running_loop(), _Live(serving, announce)
    work = asyncio.create_task(live.run())

    def told() -> None:
        if not work.cancelling():
            serving.tell("stopping: a run that is under way ends early and keeps what it has measured")
            work.cancel()
        else:
            live.hurry()

    for number in _SIGNALS:
        # nohup wants to outlive its terminal
        if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, told)
    with suppress(asyncio.CancelledError):
        await work


class _Live:
    """The processes, from the first to the last."""

    def __init__(self, serving: Serving, announce: Tell) -> None:
        self._serving = serving
        self._announce = announce
        self._worker: Child | None = None
        self._restarts: deque[float] = deque(maxlen=_MOST_RESTARTS)

    def hurry(self) -> None:
        """End the worker and its runs at once."""
        if self._worker is not None:
            self._worker.kill()

    async def run(self) -> None:
        """Start everything, then restart the worker whenever it ends; the end of anything else is an error."""
        serving, begun = self._serving, time.monotonic()
        async with AsyncExitStack() as stack:
            server: OwnServer | None = None
            if serving.api_url is None:
                serving.tell(
                    f"starting PostgreSQL and the Prefect server, whose history is kept in {serving.data}"
                )
                server = await stack.enter_async_context(own_server(serving.data, serving.host, serving.port))
                api_url = server.api_url
                clients = environment.of_own_clients(serving.data, api_url)
            else:
                api_url = serving.api_url
                clients = environment.of_clients(api_url)
            applying = await self._start_applying(clients)
            stack.push_async_callback(applying.end, grace=_GRACE_SECONDS)
            if serving.worker:
                stack.push_async_callback(self._end_worker)
                self._worker = await self._start_worker(clients)
            if server is not None:
                await server.ready()
            await self._apply(applying)
            if self._worker is not None:
                self._worker.say("go")
            place = Place(stored_address(api_url), time.monotonic() - begun)
            self._announce(f"at {place.api_url}")
            serving.on_ready(place)
            await self._watch(server, clients)

    async def _start_applying(self, clients: dict[str, str]) -> Child:
        serving = self._serving
        return await Child.start(
            "deployments",
            "flows.serving.apply",
            str(serving.file),
            str(serving.file.parent / AUTOMATIONS),
            str(serving.data / f"{name_of(serving.api_url)}.json"),
            "own" if serving.api_url is None else "other",
            "worker" if serving.worker else "none",
            folder=serving.data,
            environment=clients,
            working_directory=serving.file.parent,
            stdout=PIPE,
        )

    async def _apply(self, applying: Child) -> None:
        applying.say("go")
        for line in await applying.lines():
            self._serving.tell(scrub(line))
        code = await applying.wait()
        if code == ExitCode.WRONG_USE:
            raise _as_told(applying)
        if code != ExitCode.MET:
            msg = f"the deployments could not be made: {applying.last_words()}"
            raise NightbenchError(msg)

    async def _start_worker(self, clients: dict[str, str]) -> Child:
        return await Child.start(
            "worker",
            "flows.serving.worker_process",
            pool_of(self._serving.file),
            folder=self._serving.data,
            environment=clients,
            working_directory=self._serving.file.parent,
        )

    async def _end_worker(self) -> None:
        if self._worker is not None:
            await self._worker.end(grace=WORKER_GRACE_SECONDS)

    async def _watch(self, server: OwnServer | None, clients: dict[str, str]) -> None:
        gone = asyncio.create_task(server.end_of() if server is not None else _never())
        try:
            while True:
                working = asyncio.create_task(self._worker.wait() if self._worker is not None else _never())
                await asyncio.wait((gone, working), return_when=asyncio.FIRST_COMPLETED)
                working.cancel()
                if gone.done():
                    raise NightbenchError(gone.result())
                await self._restart(clients)
        finally:
            gone.cancel()

    async def _restart(self, clients: dict[str, str]) -> None:
        assert self._worker is not None
        said = f"the worker ended: {self._worker.last_words()}"
        now = time.monotonic()
        if len(self._restarts) == _MOST_RESTARTS and now - self._restarts[0] < _RESTARTS_WITHIN:
            msg = f"{said}; it did so {_MOST_RESTARTS + 1} times within {_RESTARTS_WITHIN / 60:.0f} minutes"
            raise NightbenchError(msg)
        self._restarts.append(now)
        self._serving.tell(f"{said}; it is started again")
        await asyncio.sleep(_RESTART_AFTER)
        self._worker = await self._start_worker(clients)
        self._worker.say("go")


def pool_of(file: Path) -> str:
    """The one work pool of the deployments.

    Raises:
        ConfigurationError: when they have several: one worker takes from one.
    """
    pools = sorted({each.work_pool.name for each in ProjectFile.read(file).deployments})
    if len(pools) > 1:
        way_out = "use --no-worker, and prefect worker start for each"
        raise ConfigurationError(file.name, ", ".join(pools), "has several work pools", way_out)
    return pools[0]


def _as_told(child: Child) -> NightbenchError:
    """The error that a child has told in the last line of its log."""
    error = NightbenchError(child.last_line())
    error.exit_code = ExitCode.WRONG_USE
    return error


async def _never() -> str:
    await asyncio.Event().wait()
    return ""
