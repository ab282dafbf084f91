"""The application's way to the database, timed: pool wait, begin and tenant set-up, execute, commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from nightbench.database.connection import break_off, connection_parameters, error_class
from nightbench.database.workload import Parameters, Statement
from nightbench.load.timeline import NOT_REACHED
from nightbench.plan import DatabasePlan
from nightbench.tenants import SET_TENANT, claims

MAX_ATTEMPTS = 3
RETRIED = frozenset({"sqlstate_40001", "sqlstate_40P01"})
"""Serialization failure and deadlock: what an application tries again."""

Row = tuple[Any, ...]

_clock = time.perf_counter_ns


@dataclass(slots=True)
class Transaction:
    """One timed transaction. Instants in monotonic ns.

    Of a transaction that was tried again, `acquired` is of its first attempt and what follows of its last:
    what the attempts before it took is part of its begin time.

    It ends with the answer to its commit: that its connection goes back and its rows are looked at takes no
    part. An instant is `NOT_REACHED` when the transaction ended before; the one that it was waiting for when
    it ended is `last`, so that what timed out counts with the time that it waited.

    Attributes:
        error: Class of the failure, None when it was committed.
        attempts: How often it was tried; more than one after serialization failures and deadlocks.
        leaked: Rows read that belong to another tenant.
    """

    sent: int
    acquired: int = NOT_REACHED
    began: int = NOT_REACHED
    executed: int = NOT_REACHED
    committed: int = NOT_REACHED
    last: int = NOT_REACHED
    error: str | None = None
    attempts: int = 0
    leaked: int = 0

    def end(self) -> None:
        """It is over, well or not."""
        if self.committed != NOT_REACHED:
            self.last = self.committed
            return
        self.last = _clock()
        for instant in ("acquired", "began", "executed", "committed"):
            if getattr(self, instant) == NOT_REACHED:
                setattr(self, instant, self.last)
                return


@dataclass
class PoolCounts:
    """What the pool did. Numbers of connections; the most that the workers had in use at once is exact."""

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

    Raises:
        ConfigurationError: when the DSN cannot be parsed.
    """

    def __init__(self, dsn: str, plan: DatabasePlan) -> None:
        self.counts = PoolCounts(size=plan.pool_connections, max_overflow=plan.max_overflow)
        self._counting = threading.Lock()
        self._in_use: set[PoolProxiedConnection] = set()
        self._closed = False
        self._engine = create_engine(
            "postgresql+psycopg://",  # the address is in the parameters, as libpq itself reads it
            poolclass=QueuePool,
            pool_size=plan.pool_connections,
            max_overflow=plan.max_overflow,
            pool_timeout=plan.pool_timeout,
            connect_args=connection_parameters(dsn, statement_timeout=plan.statement_timeout),
        )
        event.listen(self._engine, "connect", self._on_connect)

    def _on_connect(self, _connection: object, _record: object) -> None:
        with self._counting:
            self.counts.opened += 1

    def open_all(self, on_opened: Callable[[], None] = lambda: None) -> None:
        """Open every connection that the pool keeps, so that the measure phase begins with a warm pool."""
        held: list[PoolProxiedConnection] = []
        try:
            while len(held) < self.counts.size:
                held.append(self._engine.raw_connection())
                on_opened()
        finally:
            for connection in held:
                connection.close()

    def close(self) -> None:
        """Close every connection that is not in use; those that are, when they come back."""
        self._closed = True
        self._engine.dispose()

    def break_off(self) -> None:
        """End the connections that are in use: their transactions fail, and what waits on them wakes."""
        self._closed = True
        with self._counting:
            for connection in self._in_use:
                raw: Any = connection.dbapi_connection  # None when it is being thrown away
                if raw is not None:
                    break_off(raw)

    def transact(self, statement: Statement, parameters: Parameters, tenant: UUID) -> Transaction:
        """Run one statement in a transaction of `tenant`; failures are in the result, never raised."""
        transaction = Transaction(sent=_clock())
        while transaction.attempts < MAX_ATTEMPTS:
            transaction.attempts += 1
            transaction.began = transaction.executed = NOT_REACHED
            transaction.error = self._attempt(transaction, statement, parameters, tenant)
            if transaction.error not in RETRIED:
                break
        transaction.end()
        return transaction

    def _attempt(
        self, transaction: Transaction, statement: Statement, parameters: Parameters, tenant: UUID
    ) -> str | None:
        connection: PoolProxiedConnection | None = None
        try:
            connection = self._check_out()
            if transaction.acquired == NOT_REACHED:
                transaction.acquired = _clock()
            cursor = connection.cursor()
            cursor.execute(SET_TENANT, (claims(tenant),))
            transaction.began = _clock()
            cursor.execute(statement.sql, parameters)
            rows: Sequence[Row] = cursor.fetchall() if statement.kind == "read" else ()
            transaction.executed = _clock()
            connection.commit()
            transaction.committed = _clock()
        except Exception as error:  # noqa: BLE001  # whatever it is, the operation ended with it
            self._check_in(connection, failed=True)
            return self._class_of(error, connected=connection is not None)
        else:
            self._check_in(connection)
        transaction.leaked = sum(row[0] != tenant for row in rows)
        if transaction.leaked:
            return "tenant_leak"
        if statement.kind != "read" and cursor.rowcount != 1:
            return f"wrong_row_count_{cursor.rowcount}"
        return None

    def _class_of(self, error: Exception, *, connected: bool) -> str:
        if isinstance(error, PoolTimeoutError):
            with self._counting:
                self.counts.timeouts += 1
            return "pool_timeout"
        cause = error.orig if isinstance(error, DBAPIError) else error
        return error_class(cause, connected=connected)

    def _check_out(self) -> PoolProxiedConnection:
        connection = self._engine.raw_connection()
        if self._closed:  # it was waited for until the run was over
            connection.invalidate()
            raise psycopg.OperationalError("the run is over")
        counts = self.counts
        with self._counting:  # costs far less than a query
            self._in_use.add(connection)
            counts.checked_out_most = max(counts.checked_out_most, len(self._in_use))
            counts.overflow_most = max(counts.overflow_most, len(self._in_use) - counts.size)
        return connection

    def _check_in(self, connection: PoolProxiedConnection | None, *, failed: bool = False) -> None:
        """Give a connection back; after a failure rolled back, or thrown away when it is broken."""
        if connection is None:
            return
        with self._counting:  # before the pool gives it to the next
            self._in_use.discard(connection)
        if failed:
            try:
                connection.rollback()
            except psycopg.Error:
                connection.invalidate()
                return
        if self._closed:
            connection.invalidate()
        else:
            connection.close()
