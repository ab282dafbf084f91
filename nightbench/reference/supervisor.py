"""The reference backend and its PostgreSQL as one process: up together, down together, nothing left."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from nightbench import __version__, observability
from nightbench.errors import NightbenchError
from nightbench.reference.backend import CHAT_PATH, create_app
from nightbench.reference.postgres import Instance, load_dsn, postgres_instance, reference_template
from nightbench.reference.staging import Staging

GRACE_SECONDS = 2

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Watch:
    """Where the backend is watched from, and what its environment is called there."""

    dsn: str = field(repr=False)
    environment: str


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
    cache: Path,
    kind: str,
    staging: Staging,
    *,
    announce: Callable[[Address], None],
    watch: Watch | None = None,
) -> None:
    """Run PostgreSQL and the backend until a signal, or until either ends; call `announce` when both are ready.

    The signal is SIGTERM, or one of SIGINT and SIGHUP that was not ignored before: `nohup` wants to outlive
    its terminal, and a shell's background job its Ctrl-C.

    Args:
        cache: The folder of templates and instances.
        kind: Of the instance folder; tells those of ``reference up`` from those of a run.
        staging: How the backend behaves.
        announce: Called once.
        watch: By which Sentry, if any. A watched backend is a slower one.

    Raises:
        NightbenchError: when either does not come up, or PostgreSQL ends before it is told to.
    """
    with (
        suppress(_StopError),
        _signals() as numbers,
        postgres_instance(cache, kind, reference_template()) as instance,
    ):
        try:
            uvloop.run(_serve(instance, staging, announce, numbers, watch))
        finally:
            _ignore_signals()  # the loop has given its handlers back, PostgreSQL is still to be stopped


async def _serve(
    instance: Instance,
    staging: Staging,
    announce: Callable[[Address], None],
    numbers: Iterable[signal.Signals],
    watch: Watch | None,
) -> None:
    if watch is not None:
        observability.init(watch.dsn, "pam-backend", __version__, watch.environment)
    dsn = load_dsn(instance)
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
    for number in numbers:
        loop.add_signal_handler(number, server.stop)
    _at_end(instance.server.process, lambda: loop.call_soon_threadsafe(server.stop))
    await server.serve(sockets=[listener])
    if how := instance.server.has_ended():
        raise NightbenchError(how)
    if not server.started:
        msg = "the reference backend did not start"
        raise NightbenchError(msg)


def _at_end(process: subprocess.Popen[bytes], action: Callable[[], object]) -> None:
    """Call `action` in a thread of its own when `process` has ended."""

    def wait() -> None:
        process.wait()
        with suppress(RuntimeError):  # the loop is closed: whoever closed it has ended the process
            action()

    threading.Thread(target=wait, name="PostgreSQL", daemon=True).start()


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
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _signals() -> Iterator[list[signal.Signals]]:
    """The signals that end us. Until the event loop takes them, one unwinds whatever has been started."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()
        raise _StopError

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # SIGTERM even so: it is how the lifeline and `reference down` end us
    numbers = [each for each in _SIGNALS if each == signal.SIGTERM or before[each] != signal.SIG_IGN]
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield numbers
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
