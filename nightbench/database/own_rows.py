"""What a run writes it removes: rows tagged with its id, found again after a crash.

All of it happens under row-level security as the tenants themselves; no role that sees everybody's rows
is needed. Whose rows there are, the tag says: tenant 1 has a row of every run from its beginning until all
others are removed.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg

from nightbench.database.connection import APPLICATION_NAME, SETTING, bounded, connection_parameters
from nightbench.errors import ConfigurationError
from nightbench.tenants import SET_TENANT, TENANTS, claims, first_tenants

TAG_PREFIX = "nightbench:"
STATEMENT_SECONDS = 10.0
"""How long a statement of the housekeeping may take, unless the plan gives its statements longer."""
RECONNECT_SECONDS = 5
BATCH_SECONDS = 10.0
"""How long the removal from one batch of tenants may take before its connection is given up."""
_LOCK_KEY = int.from_bytes(b"nightben", "big")
_BATCH = 200
"""Tenants per transaction, so that clean-up never holds many locks for long."""

_INSERT = (
    "INSERT INTO expenses (user_id, amount, category, description, source) "
    "VALUES (%s, 1, 'groceries', 'load test', %s) RETURNING id"
)
_DELETE = "DELETE FROM expenses WHERE source LIKE %s"
_TAGS = "SELECT DISTINCT source FROM expenses WHERE source LIKE %s"


def tag_of(run_id: str, *, tenants: int) -> str:
    """The tag of the rows of a run in which so many tenants take part."""
    return f"{TAG_PREFIX}{run_id}:{tenants}"


def _tenants_of(tag: str) -> int:
    """How many tenants took part in the run of a tag; 0 when it does not say."""
    found = re.fullmatch(rf"{TAG_PREFIX}.+:(\d{{1,7}})", tag)
    return int(found[1]) if found else 0


@contextmanager
def housekeeping_connection(
    dsn: str, *, statement_timeout: float = STATEMENT_SECONDS, connect_timeout: int | None = None
) -> Iterator[psycopg.Connection]:
    """A connection beside those of the load, closed at the end of the block. Times in seconds."""
    parameters = connection_parameters(
        dsn,
        application_name=f"{APPLICATION_NAME} housekeeping",
        statement_timeout=max(STATEMENT_SECONDS, statement_timeout),
    )
    if connect_timeout is not None:
        parameters["connect_timeout"] = connect_timeout
    with psycopg.connect(**parameters, autocommit=True) as connection:
        yield connection


@contextmanager
def exclusive_connection(
    dsn: str, *, statement_timeout: float = STATEMENT_SECONDS
) -> Iterator[psycopg.Connection]:
    """One that holds the database for this run: two runs would measure each other.

    The server frees the lock when the connection ends, however it ends.

    Raises:
        ConfigurationError: when another run is at work in this database.
    """
    with housekeeping_connection(dsn, statement_timeout=statement_timeout) as connection:
        with bounded(connection, STATEMENT_SECONDS):
            held = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,)).fetchone()
        if held != (True,):
            raise ConfigurationError(
                SETTING,
                connection.info.dbname,
                "another nightbench run is at work in this database",
                "wait until it has ended, or load another database",
            )
        yield connection


def insert_rows(connection: psycopg.Connection, tenants: Sequence[UUID], tag: str) -> list[UUID]:
    """Insert one tagged row for each of `tenants` and return their ids, in order."""
    ids = []
    with connection.transaction(), connection.cursor() as cursor:
        for tenant in tenants:
            cursor.execute(SET_TENANT, (claims(tenant),))
            row = cursor.execute(_INSERT, (tenant, tag)).fetchone()
            assert row is not None
            ids.append(row[0])
    return ids


def remove_left_over(
    connection: psycopg.Connection, *, tenants: int, on_batch: Callable[[], None] = lambda: None
) -> int:
    """Remove what earlier runs left behind; return how many rows there were.

    Args:
        connection: One that holds the database for this run.
        tenants: How many take part in this run. The sweep covers them, all of the reference, and as many as
            the largest of the runs that left something.
        on_batch: Called after each batch of tenants.
    """
    any_run = f"{TAG_PREFIX}%"
    with bounded(connection, STATEMENT_SECONDS), connection.transaction():
        connection.execute(SET_TENANT, (claims(first_tenants(1)[0]),))
        left = [_tenants_of(tag) for (tag,) in connection.execute(_TAGS, (any_run,))]
    return Removal(first_tenants(max(TENANTS, tenants, *left)), any_run, on_batch).over(connection)


class Removal:
    """Removes the tagged rows of `tenants`, batch by batch; a second connection goes on where one failed.

    The first tenants come last: as long as they have a row, a later run knows of the others.

    Attributes:
        removed: How many rows so far.
    """

    def __init__(
        self, tenants: Sequence[UUID], tag: str, on_batch: Callable[[], None] = lambda: None
    ) -> None:
        starts = reversed(range(0, len(tenants), _BATCH))
        self._batches = deque(tenants[start : start + _BATCH] for start in starts)
        self._tag = tag
        self._on_batch = on_batch
        self.removed = 0

    def over(self, connection: psycopg.Connection, *, seconds: float = math.inf) -> int:
        """Remove all that is left over `connection`, within `seconds` altogether; how many rows in all.

        Raises:
            psycopg.Error: when some could not be removed.
        """
        end = time.monotonic() + seconds
        while self._batches:
            with bounded(connection, max(0.0, min(BATCH_SECONDS, end - time.monotonic()))):
                removed = self._remove(connection, self._batches[0])
            self.removed += removed
            self._batches.popleft()
            self._on_batch()
        return self.removed

    def _remove(self, connection: psycopg.Connection, tenants: Sequence[UUID]) -> int:
        deletions = []
        with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
            for tenant in tenants:
                cursor.execute(SET_TENANT, (claims(tenant),))
                deletions.append(connection.execute(_DELETE, (self._tag,)))
        return sum(deletion.rowcount for deletion in deletions)


def clean_up(
    connection: psycopg.Connection,
    dsn: str,
    tenants: Sequence[UUID],
    tag: str,
    *,
    seconds: float = math.inf,
    on_batch: Callable[[], None] = lambda: None,
) -> int | None:
    """Remove the rows of one run, over a fresh connection when `connection` fails.

    Args:
        connection: Closed when it fails.
        dsn: For the second attempt.
        tenants: Whose rows they are.
        tag: The rows' own.
        seconds: How long each of the two attempts may take.
        on_batch: Called after each batch of tenants.

    Returns:
        How many rows there were; None when some could not be removed.
    """
    removal = Removal(tenants, tag, on_batch)
    try:
        return removal.over(connection, seconds=seconds)
    except psycopg.Error:
        connection.close()
    try:
        # without the lock: another run may have it by now, and nobody else has these rows
        with housekeeping_connection(dsn, connect_timeout=RECONNECT_SECONDS) as fresh:
            return removal.over(fresh, seconds=min(seconds, BATCH_SECONDS))
    except psycopg.Error:
        return None
