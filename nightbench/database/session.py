"""The application's way to the database, timed: pool wait, begin and tenant set-up, execute, commit."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from nightbench.database.workload import Parameters, Statement
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub

APPLICATION_NAME = "nightbench"
MAX_ATTEMPTS = 3
RETRIED = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: what an application tries again."""

SET_TENANT = "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)"  # one round trip

Row = tuple[Any, ...]

_clock = time.perf_counter_ns


def sqlalchemy_url(dsn: str) -> URL:
    """The DSN as SQLAlchemy takes it for psycopg 3.

    Raises:
        ConfigurationError: when it cannot be parsed.
    """
    try:
        return make_url(dsn).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "--dsn / NIGHTBENCH_DATABASE_DSN", scrub(dsn), f"not a DSN: {error}"
        ) from None


def claims(tenant: UUID) -> str:
    """The claims of a request of `tenant`, as Supabase's gateway sets them."""
    return json.dumps({"sub": str(tenant), "role": "authenticated"})


@dataclass(slots=True)
class Transaction:
    """One timed transaction. Instants in monotonic ns; those not reached are those before them.

    Attributes:
        error: Class of the failure, None when it was committed.
        attempts: How often it was tried; more than one after serialization failures and deadlocks.
        leaked: Rows read that belong to another tenant.
    """

    sent: int = 0
    acquired: int = 0
    began: int = 0
    executed: int = 0
    last: int = 0
    error: str | None = None
    attempts: int = 0
    leaked: int = 0


@dataclass
class PoolCounts:
    """What the pool did. Numbers of connections."""

    size: int
    max_overflow: int
    opened: int = 0
    timeouts: int = 0
    checked_out_most: int = 0
    overflow_most: int = 0


class Sessions:
    """SQLAlchemy's engine and pool with psycopg 3, and one way to run a transaction.

    A pooled `raw_connection` keeps the application's pool under test; SQLAlchemy's statement layer, which
    costs twice psycopg's cursor in the generator, is left out.
    """

    def __init__(self, dsn: str, plan: DatabasePlan) -> None:
        self.counts = PoolCounts(size=plan.pool_connections, max_overflow=plan.max_overflow)
        self._engine = create_engine(
            sqlalchemy_url(dsn),
            poolclass=QueuePool,
            pool_size=plan.pool_connections,
            max_overflow=plan.max_overflow,
            pool_timeout=plan.pool_timeout,
            connect_args={
                "application_name": APPLICATION_NAME,
                "connect_timeout": 10,
                "options": f"-c statement_timeout={round(plan.statement_timeout * 1000)}",
            },
        )
        event.listen(self._engine, "connect", self._on_connect)

    def _on_connect(self, _connection: object, _record: object) -> None:
        self.counts.opened += 1

    def open_all(self) -> None:
        """Open every connection that the pool keeps, so that the measure phase begins with a warm pool."""
        held = [self._engine.raw_connection() for _ in range(self.counts.size)]
        for connection in held:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def watch_pool(self) -> None:
        """Note how much of the pool is in use right now."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        self.counts.checked_out_most = max(self.counts.checked_out_most, pool.checkedout())
        self.counts.overflow_most = max(self.counts.overflow_most, pool.overflow())

    def transact(self, statement: Statement, parameters: Parameters, tenant: UUID) -> Transaction:
        """Run one statement in a transaction of `tenant`; failures are in the result, never raised."""
        transaction = Transaction(sent=_clock())
        while transaction.attempts < MAX_ATTEMPTS:
            transaction.attempts += 1
            transaction.error = self._attempt(transaction, statement, parameters, tenant)
            if transaction.error is None or transaction.error.removeprefix("sqlstate_") not in RETRIED:
                break
        transaction.last = _clock()
        transaction.acquired = transaction.acquired or transaction.last
        transaction.began = transaction.began or transaction.last
        transaction.executed = transaction.executed or transaction.last
        return transaction

    def _attempt(
        self, transaction: Transaction, statement: Statement, parameters: Parameters, tenant: UUID
    ) -> str | None:
        connection: PoolProxiedConnection | None = None
        try:
            connection = self._engine.raw_connection()
            transaction.acquired = transaction.acquired or _clock()
            cursor = connection.cursor()
            cursor.execute(SET_TENANT, (claims(tenant),))
            transaction.began = _clock()
            cursor.execute(statement.sql, parameters)
            rows: Sequence[Row] = cursor.fetchall() if statement.kind == "read" else ()
            transaction.executed = _clock()
            connection.commit()
        except (psycopg.Error, DBAPIError, PoolTimeoutError) as error:
            _abandon(connection)
            return self._class_of(error)
        else:
            connection.close()
        transaction.leaked = sum(row[0] != tenant for row in rows)
        if transaction.leaked:
            return "tenant_leak"
        if statement.kind != "read" and cursor.rowcount != 1:
            return f"wrong_row_count_{cursor.rowcount}"
        return None

    def _class_of(self, error: Exception) -> str:
        if isinstance(error, PoolTimeoutError):
            self.counts.timeouts += 1
            return "pool_timeout"
        cause = error.orig if isinstance(error, DBAPIError) else error
        return error_class(cause)


def error_class(error: BaseException | None) -> str:
    """The class of a database failure: its SQLSTATE, or what happened to the connection."""
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return f"sqlstate_{error.sqlstate}"
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return "connect_timeout"
    if isinstance(error, psycopg.OperationalError):
        return "connection_refused" if "refused" in str(error) else "connection_lost"
    return type(error).__name__.lower()


CONNECTION_ERRORS = ("connection_", "connect_", "sqlstate_57P", "sqlstate_08")
"""Beginnings of the classes which say that the server is not there."""


def _abandon(connection: PoolProxiedConnection | None) -> None:
    """Give a connection back after a failure: rolled back, or thrown away when it is broken."""
    if connection is None:
        return
    try:
        connection.rollback()
    except psycopg.Error:
        connection.invalidate()
    else:
        connection.close()
