"""The embedded Prefect server of one run.

Prefect's own temporary server shares the terminal's process group, so that Ctrl-C ends it under the flow
that runs; this one has a session of its own and a lifeline instead. A migrated database is kept as a
template in the cache: making one takes most of a first start.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from flows.in_process.answer import why_no_answer
from flows.in_process.environment import NO_TELEMETRY
from nightbench.errors import MeasurementError
from nightbench.instances import cache_errors
from nightbench.scrub import scrub

STARTUP_SECONDS = 90.0
"""How long a start may take, the making of the database included."""

_LOG_TAIL = 2000


class EmbeddedServer:
    """A Prefect server on a free loopback port, which lives as long as this object's block.

    Attributes:
        api_url: Where it answers, once `ready` has returned.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path, template: Path) -> None:
        self.api_url = f"http://127.0.0.1:{port}/api"
        self.process = process
        self._port = port
        self._folder = folder
        self._template = template

    async def ready(self) -> None:
        """Return when the server answers.

        Raises:
            MeasurementError: when it ended instead, or took longer than `STARTUP_SECONDS`.
        """
        if why := await why_no_answer("127.0.0.1", self._port, within=STARTUP_SECONDS):
            msg = f"the embedded Prefect server cannot be used: {why}; {self._log_tail()}"
            raise MeasurementError(msg)
        self._keep_template()

    def _keep_template(self) -> None:
        if self._template.exists():
            return
        with contextlib.suppress(OSError, sqlite3.Error):  # a slower next start is all that is lost
            self._template.parent.mkdir(parents=True, exist_ok=True)
            # beside it, as the folder of the server may lie on another file system
            made = self._template.with_name(f".{self._template.name}.{os.getpid()}.tmp")
            try:
                with contextlib.closing(sqlite3.connect(self._folder / "prefect.db")) as database:
                    database.execute("VACUUM INTO ?", (str(made),))
                made.replace(self._template)
            finally:
                made.unlink(missing_ok=True)

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            text = (self._folder / "server.log").read_text(errors="replace")[-_LOG_TAIL:].strip()
            return scrub(text) or "it wrote no log"
        return "it wrote no log"


@contextmanager
def embedded_server(cache: Path, folder: Path) -> Iterator[EmbeddedServer]:
    """Start a server with its database and log in `folder`; end it with the block.

    It returns at once: the server starts while the caller does something else, then awaits `ready`.

    Raises:
        ConfigurationError: when the cache cannot be written.
    """
    template = cache / "prefect" / f"prefect-{version('prefect')}.db"
    with cache_errors(cache):
        migrated = _copy(template, folder / "prefect.db")
        log = (folder / "server.log").open("wb")
    with log, socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-P", "-m", "flows.in_process.server_process", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(os.environ, folder, migrated=migrated),
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        yield EmbeddedServer(process, port, folder, template)
    finally:
        process.kill()  # its database goes with the folder: there is nothing to finish
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _copy(template: Path, database: Path) -> bool:
    try:
        shutil.copyfile(template, database)
    except FileNotFoundError:
        return False
    return True


def _environment(inherited: Mapping[str, str], folder: Path, *, migrated: bool) -> dict[str, str]:
    """The server's environment: nothing of the user's own Prefect, and only what in-process flows need."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("PREFECT_")}
    start = str(not migrated).lower()
    return kept | {
        **NO_TELEMETRY,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": start,
        "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",  # no flow of ours uses a block
        # Who listens to events: the database ends with the run, and a writer beside the requests has SQLite
        # answer "locked" now and then, after which the client waits for two seconds.
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }
