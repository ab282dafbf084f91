"""The PostgreSQL of the Prefect server: an instance of its own, whose data stays, since it is the history of runs."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, TypeVar

import psutil
import psycopg

from nightbench.errors import NightbenchError
from nightbench.instances import remove_tree
from nightbench.reference.programs import command
from nightbench.reference.server import Running, server, stop_survivor
from nightbench.reference.template import PASSWORD_FILE, SUPERUSER, initialise

NAME = "prefect"
_MIGRATED = "migrated"

P = ParamSpec("P")
T = TypeVar("T")

_CONFIGURATION = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'

# A guest on a machine that measures: little memory, and no work at moments of its own choice.
shared_buffers = '64MB'
huge_pages = off
jit = off
max_parallel_workers_per_gather = 0
io_method = 'sync'
dynamic_shared_memory_type = 'mmap'  # nothing of it stays in /dev/shm, even after a kill
wal_level = minimal
max_wal_senders = 0
max_replication_slots = 0
max_logical_replication_workers = 0
min_wal_size = '8MB'
max_wal_size = '256MB'
checkpoint_timeout = '30min'

# What was answered survives a crash of the machine but for the last moments.
fsync = on
synchronous_commit = off

log_min_messages = log
log_checkpoints = off
log_autovacuum_min_duration = -1
"""


@dataclass(frozen=True)
class Database:
    """A running PostgreSQL.

    Attributes:
        url: What Prefect's server connects to; holds the password.
    """

    running: Running
    url: str = field(repr=False)


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Database]:
    """Run the PostgreSQL whose data lies in `folder`, made when missing, for the length of the block.

    One that was left behind by a killed owner is ended first. Whoever calls holds the lock of the folder.

    Raises:
        NightbenchError: when it does not come up, with the end of its log.
        ConfigurationError: when root has no way to run PostgreSQL.
    """
    if not await _in_a_thread(_is_made, folder):
        await _build(folder)
    _forget_stranger(folder)
    with server(folder / "data", folder / "postgres.log") as running:
        password = (folder / PASSWORD_FILE).read_text()
        yield Database(running, _url("postgresql+asyncpg", password, running.port))


def is_migrated(folder: Path) -> bool:
    """Whether the database in `folder` was made or migrated by the Prefect that is installed."""
    try:
        return (folder / _MIGRATED).read_text() == version("prefect")
    except OSError:
        return False


def now_migrated(folder: Path) -> None:
    """Keep in mind that it is: to look takes seconds of each start."""
    (folder / _MIGRATED).write_text(version("prefect"))


def _is_made(folder: Path) -> bool:
    stop_survivor(folder)
    return folder.is_dir()


async def _build(folder: Path) -> None:
    for leftover in folder.parent.glob(".building-*"):
        stop_survivor(leftover)
        remove_tree(leftover)
    building = folder.with_name(f".building-{secrets.token_hex(4)}")
    building.mkdir(mode=0o700, parents=True)
    try:
        password = await _in_a_thread(initialise, building, _CONFIGURATION)
        with server(building / "data", building / "postgres.log", "fsync=off") as running:
            url = _url("postgresql", password, running.port, "postgres")
            with closing(psycopg.connect(url, autocommit=True, connect_timeout=10)) as connection:
                connection.execute(f"create database {NAME}")
        await _in_a_thread(_sync, building)
        building.rename(folder)
    except BaseException:
        stop_survivor(building)
        remove_tree(building)
        raise


def _sync(building: Path) -> None:
    """To the disk with what was made without waiting for it, file by file."""
    done = subprocess.run(  # noqa: S603  # the wheel's own programs
        command("initdb", "--sync-only", f"--pgdata={building / 'data'}"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        start_new_session=True,  # a terminal's Ctrl-C is not for it
    )
    if done.returncode:
        msg = f"the PostgreSQL of the Prefect server could not be written to {building.parent}"
        raise NightbenchError(msg)


async def _in_a_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What `work` returns; signals are heard meanwhile, and a cancel waits for its end.

    Not for what starts a PostgreSQL: only one of the main thread's is stopped by the kernel when this process dies.
    """
    working = asyncio.create_task(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        raise


def _forget_stranger(folder: Path) -> None:
    """Remove a ``postmaster.pid`` whose number is another program's by now: PostgreSQL would refuse to start.

    Numbers come again soon in a container, where they are small.
    """
    file = folder / "data" / "postmaster.pid"
    try:
        name = psutil.Process(int(file.read_text().splitlines()[0])).name()
    except (OSError, ValueError, IndexError, psutil.Error):
        return  # none, or a dead one's, which PostgreSQL finds out itself
    if name != "postgres":
        file.unlink(missing_ok=True)


def _url(scheme: str, password: str, port: int, name: str = NAME) -> str:
    return f"{scheme}://{SUPERUSER}:{password}@127.0.0.1:{port}/{name}"
