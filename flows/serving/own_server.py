"""The Prefect server of ``nightbench serve``, on its PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.in_process.answer import why_no_answer
from flows.serving import environment
from flows.serving.child import Child
from flows.serving.database import Database, database, is_migrated, now_migrated
from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.files import reason

DEFAULT_PORT = 4200
START_SECONDS = 120.0
"""How long a start may take, the making of the database included."""
USUAL = "usually 10 to 30 s"
_GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class OwnServer:
    """A server that starts.

    Attributes:
        api_url: Where it will answer.
    """

    api_url: str
    host: str
    port: int
    process: Child
    database: Database
    folder: Path

    async def ready(self) -> None:
        """Return when it answers.

        Raises:
            NightbenchError: when it ended instead, or took longer than `START_SECONDS`.
        """
        if why := await why_no_answer(reachable(self.host), self.port, within=START_SECONDS):
            msg = f"the Prefect server did not start: {why}; {self.process.last_words()}"
            raise NightbenchError(msg)
        now_migrated(self.folder)

    async def end_of(self) -> str:
        """Wait for the end of either process, which nobody has asked for; what it said."""
        ended = asyncio.create_task(self.process.wait())
        try:
            while not ended.done():
                if said := self.database.running.has_ended():
                    return f"of the Prefect server: {said}"
                await asyncio.wait((ended,), timeout=1)
        finally:
            ended.cancel()
        return f"the Prefect server ended with code {ended.result()}: {self.process.last_words()}"


@asynccontextmanager
async def own_server(
    data: Path, host: str, port: int | None, *, tell: Callable[[str], None]
) -> AsyncIterator[OwnServer]:
    """Start a server with its database in `data`; both end with the block.

    It does not wait for the server, see `OwnServer.ready`. `tell` hears what is waited for.

    Raises:
        ConfigurationError: when it cannot listen there.
        NightbenchError: when PostgreSQL does not come up.
    """
    with _listener(host, DEFAULT_PORT if port is None else port) as listener:
        tell(f"starting PostgreSQL and the Prefect server, whose history is kept in {data}: {USUAL}")
        chosen: int = listener.getsockname()[1]
        folder = data / "postgres"
        async with database(folder) as running:
            tell("PostgreSQL is up; waiting for the Prefect server")
            process = await Child.start(
                "server",
                "flows.in_process.server_process",
                str(listener.fileno()),
                folder=data,
                environment=environment.of_server(
                    data, host, chosen, running.url, migrated=is_migrated(folder)
                ),
                pass_fds=[listener.fileno()],
            )
            listener.close()
            url = f"http://{bracketed(reachable(host))}:{chosen}/api"
            try:
                yield OwnServer(url, host, chosen, process, running, folder)
            finally:
                await process.end(grace=_GRACE_SECONDS)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        way_out = f"choose another with --port; if it is a Prefect server: --api-url http://{host}:{port}/api"
        place = f"{bracketed(host)}:{port}"
        number = error.errno if isinstance(error, OSError) else None
        why = os.strerror(number).lower() if number and number > 0 else reason(error)
        raise ConfigurationError("--port", place, f"cannot be listened on: {why}", way_out) from None


def reachable(host: str) -> str:
    """By which address a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # nobody listens here


def bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host
