"""The reference backend and its PostgreSQL as one process: up together, down together, nothing left."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from nightbench.errors import NightbenchError
from nightbench.processes import watch_lifeline
from nightbench.reference.backend import CHAT_PATH, create_app
from nightbench.reference.postgres import load_dsn, postgres_instance, reference_template
from nightbench.reference.staging import Staging

GRACE_SECONDS = 2


@dataclass(frozen=True)
class Address:
    """Where a running reference backend is reached. `token` and `dsn` are secrets of this one run."""

    websocket_url: str
    token: str = field(repr=False)
    dsn: str = field(repr=False)
    counters_url: str
    pid: int

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(self.__dict__)


class _StopError(BaseException):
    """A signal asked for the end before the event loop was there to take it."""


def supervise(
    cache: Path, kind: str, staging: Staging, *, announce: Callable[[Address], None], lifeline: bool
) -> None:
    """Run PostgreSQL and the backend until SIGINT or SIGTERM; call `announce` when both are ready.

    Args:
        cache: The folder of templates and instances.
        kind: Of the instance folder; tells those of ``reference up`` from those of a run.
        staging: How the backend behaves.
        announce: Called once.
        lifeline: Also end when standard input does, which is when the parent dies; SIGINT is ignored then,
            since a terminal's Ctrl-C is the parent's to decide on.

    Raises:
        NightbenchError: when either does not come up.
    """
    with suppress(_StopError), _signals(ignore_interrupt=lifeline):
        if lifeline:
            watch_lifeline(lambda: os.kill(os.getpid(), signal.SIGTERM))
        with postgres_instance(cache, kind, reference_template()) as instance:
            dsn = load_dsn(instance)
            try:
                uvloop.run(_serve(dsn, staging, announce, handle_interrupt=not lifeline))
            finally:
                _ignore_signals()  # the loop has given its handlers back, PostgreSQL is still to be stopped


async def _serve(
    dsn: str, staging: Staging, announce: Callable[[Address], None], *, handle_interrupt: bool
) -> None:
    token = secrets.token_urlsafe(24)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    address = Address(
        websocket_url=f"ws://127.0.0.1:{port}{CHAT_PATH}",
        token=token,
        dsn=dsn,
        counters_url=f"http://127.0.0.1:{port}/counters",
        pid=os.getpid(),
    )
    server = _Server(create_app(dsn, token, staging), on_ready=lambda: announce(address))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, *([signal.SIGINT] if handle_interrupt else [])):
        loop.add_signal_handler(number, server.stop)
    await server.serve(sockets=[listener])
    if not server.started:
        msg = "the reference backend did not start"
        raise NightbenchError(msg)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process past our clean-up."""

    def __init__(self, app: object, *, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type]  # FastAPI is an ASGI app
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                lifespan="on",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def stop(self) -> None:
        """End after the requests under way."""
        self.should_exit = True


def _ignore_signals() -> None:
    """An impatient second signal must not cut the clean-up short."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _signals(*, ignore_interrupt: bool) -> Iterator[None]:
    """Until the event loop takes them, a signal unwinds whatever has been started."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()
        raise _StopError

    handlers = {
        signal.SIGTERM: stop,
        signal.SIGHUP: stop,
        signal.SIGINT: signal.SIG_IGN if ignore_interrupt else stop,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
