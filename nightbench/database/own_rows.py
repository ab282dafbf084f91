"""What a run writes it removes: rows tagged with its id, found again after a crash.

All of it happens under row-level security as the tenants themselves; no role that sees everybody's rows
is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg

from nightbench.database.session import APPLICATION_NAME, SET_TENANT, claims, sqlalchemy_url
from nightbench.errors import ConfigurationError

TAG_PREFIX = "nightbench:"
_LOCK_KEY = int.from_bytes(b"nightben", "big")
_BATCH = 200
"""Tenants per transaction, so that clean-up never holds many locks for long."""

_INSERT = (
    "INSERT INTO expenses (user_id, amount, category, description, source) "
    "VALUES (%s, 1, 'groceries', 'load test', %s) RETURNING id"
)
_DELETE = "DELETE FROM expenses WHERE source LIKE %s"


@contextmanager
def exclusive_connection(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection of its own that holds the database for this run: two runs would measure each other.

    The server frees the lock when the connection ends, however it ends.

    Raises:
        ConfigurationError: when another run is at work in this database.
    """
    conninfo = sqlalchemy_url(dsn).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(
        conninfo, application_name=f"{APPLICATION_NAME} housekeeping", connect_timeout=10
    ) as connection:
        connection.autocommit = True
        held = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,)).fetchone()
        if held != (True,):
            raise ConfigurationError(
                "--dsn / NIGHTBENCH_DATABASE_DSN",
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


def remove_rows(connection: psycopg.Connection, tenants: Sequence[UUID], tag: str | None = None) -> int:
    """Remove the rows of one run, or with no `tag` of every earlier run; return how many there were."""
    pattern = tag or f"{TAG_PREFIX}%"
    removed = 0
    for start in range(0, len(tenants), _BATCH):
        with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
            deletions = []
            for tenant in tenants[start : start + _BATCH]:
                cursor.execute(SET_TENANT, (claims(tenant),))
                deletions.append(connection.execute(_DELETE, (pattern,)))
        removed += sum(deletion.rowcount for deletion in deletions)
    return removed
