"""The lock that holds a database for one run; the server's, so that it goes when the run does."""

from __future__ import annotations

import contextlib

import psycopg
from psycopg.pq import TransactionStatus

from nightbench.database.connection import SETTING, bounded
from nightbench.errors import ConfigurationError

RELEASE_SECONDS = 1.0
"""How long letting go may take; without an answer the server does it when it sees that the connection has ended."""

_KEY = int.from_bytes(b"nightben", "big")


def take_lock(connection: psycopg.Connection) -> None:
    """Let `connection`, which is in autocommit mode, hold its database.

    Raises:
        ConfigurationError: when another does.
        psycopg.Error: of the connection.
    """
    if connection.execute("SELECT pg_try_advisory_lock(%s)", (_KEY,)).fetchone() != (True,):
        raise ConfigurationError(
            SETTING,
            connection.info.dbname,
            "another nightbench run is at work in this database",
            "wait until it has ended, or load another database",
        )


def release_lock(connection: psycopg.Connection) -> None:
    """Let go of it now: the server may see the end of a connection later than the next run begins.

    On a connection that is closed, broken or in the middle of something it does nothing.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return
    with contextlib.suppress(psycopg.Error, OSError), bounded(connection, RELEASE_SECONDS):
        connection.execute("SELECT pg_advisory_unlock(%s)", (_KEY,))
