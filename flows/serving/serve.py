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
from dataclasses import replace
from pathlib import Path

from flows.in_process.environment import API_URL, check_reachable
from flows.serving import environment
from flows.serving.applying import Applying
from flows.serving.child import Child
from flows.serving.data_folder import alone, name_of
from flows.serving.own_server import OwnServer, own_server
from flows.serving.project_file import ProjectFile
from flows.serving.runs_here import SERVED_BY, end_runs, kill_runs, runs_of
from nightbench.errors import ExitCode, NightbenchError
from nightbench.scrub import scrub, stored_address
from nightbench.serving import Place, Serving

WORKER_GRACE_SECONDS = 75.0
"""What the worker has to end; its runs have 60 s of it, see `worker_process`."""
_GRACE_SECONDS = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_MOST_RESTARTS, _RESTARTS_WITHIN, _RESTART_AFTER = 5, 600.0, 5.0
AUTOMATIONS = Path("deployments") / "automations.yaml"


def serve(serving: Serving) -> ExitCode:
    """Run until a signal. In the main thread.

    Raises:
        ConfigurationError: when something cannot be used, or a ``nightbench serve`` of the same server runs.
        NightbenchError: when a part does not come up, or ends by itself.
    """
    serving = replace(serving, file=serving.file.absolute(), data=serving.data.expanduser().absolute())
    project, api_url = ProjectFile.read(serving.file), serving.api_url
    pool = project.only_pool(serving.file.name) if serving.worker else ""
    if api_url is not None:
        named = API_URL if os.environ.get(API_URL) == api_url else "--api-url"
        check_reachable(api_url, setting=named, way_out="leave it out to run a server of our own")
    with alone(serving.data, api_url) as announce:
        asyncio.run(_until_told(serving, _Live(serving, pool, announce)))
    serving.tell("stopped")
    return ExitCode.MET


async def _until_told(serving: Serving, live: _Live) -> None:
    """Serve until the first signal; the second, and any after an error, lets no run end early."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(live.run())

    def told() -> None:
        if not (live.ending or work.cancelling()):
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
    """The processes, from the first to the last.

    Attributes:
        ending: Whether they are being ended, for whatever reason.
    """

    def __init__(self, serving: Serving, pool: str, announce: Callable[[str], None]) -> None:
        self.ending = False
        self._serving = serving
        self._pool = pool
        self._announce = announce
        self._name = str(serving.data / name_of(serving.api_url))
        self._worker: Child | None = None
        self._restarts: deque[float] = deque(maxlen=_MOST_RESTARTS)

    def hurry(self) -> None:
        """End the worker and all runs at once."""
        if self._worker is not None:
            self._worker.kill()
        kill_runs(runs_of(self._name))

    async def run(self) -> None:
        """Start everything, then restart the worker whenever it ends; the end of anything else is an error."""
        async with AsyncExitStack() as stack:
            try:
                await self._run(stack)
            finally:
                self.ending = True

    async def _run(self, stack: AsyncExitStack) -> None:
        serving, begun = self._serving, time.monotonic()
        server: OwnServer | None = None
        if serving.api_url is None:
            server = await stack.enter_async_context(
                own_server(serving.data, serving.host, serving.port, tell=serving.tell)
            )
            api_url = server.api_url
            clients = environment.of_own_clients(serving.data, api_url)
        else:
            api_url = serving.api_url
            clients = environment.of_clients(api_url)
        clients[SERVED_BY] = self._name
        applying = await self._start_applying(clients)
        stack.push_async_callback(applying.end, grace=_GRACE_SECONDS)
        stack.push_async_callback(self._end_runs)
        if serving.worker:
            self._worker = await self._start_worker(clients)
        if server is not None:
            await server.ready()
            serving.tell("the Prefect server answers; making what the project's files say")
        await self._apply(applying)
        if self._worker is not None:
            self._worker.say("go")
        place = Place(stored_address(api_url), time.monotonic() - begun)
        self._announce(f"at {place.api_url}")
        serving.on_ready(place)
        await self._watch(server, clients)

    async def _start_applying(self, clients: dict[str, str]) -> Child:
        serving = self._serving
        asked = Applying(
            serving.file,
            serving.file.parent / AUTOMATIONS,
            Path(f"{self._name}.json"),
            own=serving.api_url is None,
            worker=serving.worker,
        )
        return await Child.start(
            "deployments",
            "flows.serving.apply",
            *asked.words(),
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
            self._pool,
            folder=self._serving.data,
            environment=clients,
            working_directory=self._serving.file.parent,
        )

    async def _end_runs(self) -> None:
        """The worker ends its own; those that one has left behind, when it was killed, are ended beside it."""
        worker = self._worker
        if worker is None:
            await end_runs(runs_of(self._name))
        else:
            orphans = runs_of(self._name, but_of=worker.pid)
            await asyncio.gather(worker.end(grace=WORKER_GRACE_SECONDS), end_runs(orphans))

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


def _as_told(child: Child) -> NightbenchError:
    """The error that a child has told in the last line of its log."""
    error = NightbenchError(child.last_line())
    error.exit_code = ExitCode.WRONG_USE
    return error


async def _never() -> str:
    await asyncio.Event().wait()
    return ""
