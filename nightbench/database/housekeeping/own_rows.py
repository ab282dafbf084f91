"""What a run writes it removes: rows tagged with its id, found again after a crash.

All of it happens as the tenants themselves, under whatever narrows what they see; no role that sees
everybody's rows is needed. Whose rows there are, the tag says: where the workload inserts rows of its own,
tenant 1 has one of every run from its beginning until all others are removed.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from psycopg import sql

from nightbench.database.connection import APPLICATION_NAME, bounded, connection_parameters, keep_open
from nightbench.database.housekeeping.deletable import (
    check_deletable,
    delete_of,
    distinct,
    identifier,
)
from nightbench.database.housekeeping.lock import release_lock, take_lock
from nightbench.database.housekeeping.tags import ANY_RUN, tenants_of
from nightbench.database.tenancy import TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan.workload import OwnRows
from nightbench.tenants import TENANTS, first_tenants

STATEMENT_SECONDS = 10.0
"""How long a statement may take, unless the plan gives its statements longer."""
RECONNECT_SECONDS = 5
BATCH_SECONDS = 10.0
"""How long one batch may take before its connection is given up."""
ROW_SECONDS = 1.0
"""How long the insertion of one row may take on top of that."""
_BATCH = 200
"""Tenants per transaction, so that clean-up never holds many locks for long."""
_ROWS = 20
"""Rows that are inserted in one round trip."""
_INSERT = "workload.own_rows.insert"


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
        keep_open(connection, connect_timeout or STATEMENT_SECONDS)
        yield connection


@contextmanager
def exclusive_connection(
    dsn: str, *, statement_timeout: float = STATEMENT_SECONDS
) -> Iterator[psycopg.Connection]:
    """One that holds the database for this run: two runs would measure each other.

    It is let go with the block, or by the server when the connection ends, however it ends.

    Raises:
        ConfigurationError: when another run is at work in this database.
    """
    with housekeeping_connection(dsn, statement_timeout=statement_timeout) as connection:
        with bounded(connection, STATEMENT_SECONDS):
            take_lock(connection)
        try:
            yield connection
        finally:
            release_lock(connection)


def insert_rows(
    connection: psycopg.Connection,
    own: OwnRows,
    settings: TenantSettings,
    tenants: Sequence[str],
    tag: str,
    *,
    on_batch: Callable[[], None] = lambda: None,
) -> list[object]:
    """Insert one tagged row for each of `tenants` and return their keys, in order; none without an insert.

    That a row is found again by its tag is tried with the first one, before anything is committed.

    Args:
        connection: In autocommit mode; each batch of rows is bounded.
        own: Says how.
        settings: How a transaction becomes one of a tenant.
        tenants: Any of them as often as it has rows.
        tag: The rows' own.
        on_batch: Called after each batch.

    Raises:
        ConfigurationError: when it is not, or when the insert does not return the key of one row.
        psycopg.Error: what the server has against it.
    """
    keys: list[object] = []
    if own.insert is None or not tenants:
        return keys
    with connection.transaction():
        for start in (0, *range(1, len(tenants), _ROWS)):
            batch = tenants[start : start + (_ROWS if start else 1)]
            with bounded(connection, BATCH_SECONDS + len(batch) * ROW_SECONDS):
                keys += _inserted(connection, own.insert, settings, batch, tag)
                if not start:
                    _check_found_again(connection, own, tag)
            on_batch()
    return keys


def _inserted(
    connection: psycopg.Connection, insert: str, settings: TenantSettings, tenants: Sequence[str], tag: str
) -> Iterator[object]:
    inserted = []
    with connection.pipeline():
        for tenant in tenants:
            settings.apply(connection, tenant)
            inserted.append(connection.execute(insert.encode(), {"tenant": tenant, "tag": tag}))
    for each in inserted:
        rows: list[Any] = each.fetchall() if each.description else []
        if len(rows) != 1:
            way_out = "end it with RETURNING and the row's key"
            raise ConfigurationError(_INSERT, "…", f"it returned {len(rows)} rows, not one", way_out)
        yield rows[0][0]


def _check_found_again(connection: psycopg.Connection, own: OwnRows, tag: str) -> None:
    found = 0
    with connection.transaction(force_rollback=True):
        for table in own.tables:
            found += connection.execute(delete_of(table, "="), (tag,)).rowcount
    if not found:
        problem = "the row that it made cannot be removed again by its tag"
        way_out = "%(tag)s goes into tag_column of one of own_rows.tables, and the tenant has to be allowed to delete"
        raise ConfigurationError(_INSERT, "…", problem, way_out)


def remove_left_over(
    connection: psycopg.Connection,
    own: OwnRows,
    settings: TenantSettings,
    tenants: Sequence[str],
    *,
    on_batch: Callable[[], None] = lambda: None,
) -> int:
    """Remove what earlier runs left behind; return how many rows there were.

    Args:
        connection: One that holds the database for this run.
        own: Where the rows are.
        settings: How a transaction becomes one of a tenant.
        tenants: All that there are to sweep, tenant 1 first. Of nightbench's own, which are numbered, those that
            take part are enough: the sweep covers all of the reference, and as many as the largest of the
            runs that left something.
        on_batch: Called after each batch of tenants.

    Raises:
        ConfigurationError: when what this run would write could not be removed again; nothing is changed.
        psycopg.Error: what the server has against it.
    """
    largest = 0
    with bounded(connection, STATEMENT_SECONDS), connection.transaction():
        settings.apply(connection, tenants[0])
        check_deletable(connection, own, ANY_RUN, tenants=len(distinct(settings, _numbered(tenants, 0))))
        for table in own.tables:
            tags = sql.SQL("SELECT DISTINCT {tag} FROM {table} WHERE {tag} LIKE %s").format(
                table=identifier(table.table), tag=sql.Identifier(table.tag_column)
            )
            for (tag,) in connection.execute(tags, (ANY_RUN,)):
                largest = max(largest, tenants_of(str(tag)))
    swept = _numbered(tenants, largest)
    return Removal(own, settings, swept, ANY_RUN, on_batch).over(connection)


def _numbered(tenants: Sequence[str], largest: int) -> Sequence[str]:
    """`tenants`, and when they are nightbench's own, all of the reference and up to the `largest`."""
    more = [str(each) for each in first_tenants(max(TENANTS, len(tenants), largest))]
    return more if more[: len(tenants)] == list(tenants) else tenants


class Removal:
    """Removes the tagged rows of `tenants`, batch by batch; a second connection goes on where one failed.

    The first tenants come last: as long as they have a row, a later run knows of the others.

    Attributes:
        removed: How many rows so far.
    """

    def __init__(
        self,
        own: OwnRows,
        settings: TenantSettings,
        tenants: Sequence[str],
        tag: str,
        on_batch: Callable[[], None] = lambda: None,
    ) -> None:
        tenants = distinct(settings, tenants)
        starts = reversed(range(0, len(tenants), _BATCH))
        self._batches = deque(tenants[start : start + _BATCH] for start in starts)
        operator: Literal["LIKE", "="] = "LIKE" if tag == ANY_RUN else "="
        self._deletions = [delete_of(table, operator) for table in own.tables]
        self._settings = settings
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

    def _remove(self, connection: psycopg.Connection, tenants: Sequence[str]) -> int:
        deletions = []
        with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
            for tenant in tenants:
                self._settings.apply(cursor, tenant)
                deletions += [connection.execute(each, (self._tag,)) for each in self._deletions]
        return sum(deletion.rowcount for deletion in deletions)


def clean_up(
    connection: psycopg.Connection,
    dsn: str,
    own: OwnRows,
    settings: TenantSettings,
    tenants: Sequence[str],
    *,
    tag: str,
    seconds: float = math.inf,
    on_batch: Callable[[], None] = lambda: None,
) -> int | None:
    """Remove the rows of one run, over a fresh connection when `connection` fails.

    Args:
        connection: Closed when it fails.
        dsn: For the second attempt.
        own: Where the rows are.
        settings: How a transaction becomes one of a tenant.
        tenants: Whose rows they are.
        tag: The rows' own.
        seconds: How long each of the two attempts may take.
        on_batch: Called after each batch of tenants.

    Returns:
        How many rows there were; None when some could not be removed.
    """
    removal = Removal(own, settings, tenants, tag, on_batch)
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
