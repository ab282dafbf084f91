"""The application's way to the database, timed: pool wait, begin and tenant set-up, execute, commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from nightbench.database.connection import break_off, connection_parameters, error_class
from nightbench.database.draws import Parameters
from nightbench.database.pool_counts import PoolCounts
from nightbench.database.tenancy import TenantSettings
from nightbench.database.wire import Row, Wire, numbered
from nightbench.database.workload import Statement
from nightbench.load.shard import Shard
from nightbench.load.timeline import NOT_REACHED
from nightbench.plan import DatabasePlan

MAX_ATTEMPTS = 3
RETRIED = frozenset({"sqlstate_40001", "sqlstate_40P01"})
"""Serialization failure and deadlock: what an application tries again."""

MOST_VALUES = 10_000
"""Tenants whose settings are kept at a time."""

WIRE = "nightbench.wire"
"""What a pooled connection has its `Wire` under, in its `info`."""

_USED = "nightbench"
"""In the notes on a place in the pool: it has had a connection."""

_clock = time.perf_counter_ns


@dataclass(slots=True)
class Transaction:
    """One timed transaction. Instants in monotonic ns.

    Of a transaction that was tried again, `acquired` is of its first attempt and what follows of its last:
    what the attempts before it took is part of its begin time.

    It ends with the answer to its commit: that its rows are made and looked at and its connection goes back
    takes no part. An instant is `NOT_REACHED` when the transaction ended before; the one that it was waiting for when
    it ended is `last`, so that what timed out counts with the time that it waited.

    Attributes:
        error: Class of the failure, None when it was committed.
        attempts: How often it was tried; more than one after serialization failures and deadlocks.
        rows: How many were read or changed; a write that changed too many or too few is rolled back.
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
    rows: int = 0
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


class Sessions:
    """SQLAlchemy's engine and pool with psycopg 3, and one way to run a transaction.

    A pooled `raw_connection` keeps the application's pool under test; SQLAlchemy's statement layer, which
    costs twice psycopg's cursor in the generator, is left out, and so is that cursor: see `Wire`.

    Raises:
        ConfigurationError: when the DSN cannot be parsed.
    """

    def __init__(self, dsn: str, plan: DatabasePlan, shard: Shard) -> None:
        self._settings = TenantSettings(plan.mix.tenant_settings)
        self._values = lru_cache(MOST_VALUES)(self._values_of)
        self.counts = PoolCounts(
            size=len(shard.part(plan.pool_connections)), max_overflow=len(shard.part(plan.max_overflow))
        )
        self._counting = threading.Lock()
        self._in_use: set[PoolProxiedConnection] = set()
        self._closed = False
        self._engine = create_engine(
            "postgresql+psycopg://",  # the address is in the parameters, as libpq itself reads it
            poolclass=QueuePool,
            pool_size=self.counts.size,
            max_overflow=self.counts.max_overflow,
            pool_timeout=plan.pool_timeout,
            pool_reset_on_return=None,  # what comes back is committed or rolled back
            pool_recycle=-1 if plan.pool_recycle is None else plan.pool_recycle,
            connect_args=connection_parameters(
                dsn,
                statement_timeout=plan.statement_timeout,
                lock_timeout=plan.lock_timeout,
                isolation=plan.isolation_level,
            ),
        )
        self._pool = self._engine.pool
        event.listen(self._engine, "connect", self._on_connect)
        event.listen(self._engine, "invalidate", self._on_invalidate)

    def _values_of(self, tenant: str, encoding: str) -> tuple[bytes, ...]:
        return tuple(value.encode(encoding) for value in self._settings.values(tenant))

    def _on_connect(self, connection: psycopg.Connection[Any], record: ConnectionPoolEntry) -> None:
        # ids of tenants are compared as text, and made for it at a third of the price
        connection.adapters.register_loader("uuid", TextLoader)
        record.info[WIRE] = Wire(connection, self._settings.sql)
        place = record.record_info  # of the place in the pool, whichever its connection
        assert place is not None
        with self._counting:
            self.counts.opened += 1
            self.counts.recycled += _USED in place
        place[_USED] = True

    def _on_invalidate(self, _connection: object, _record: object, _error: object) -> None:
        if not self._closed:
            with self._counting:
                self.counts.invalidated += 1

    def open_all(self, on_opened: Callable[[], None] = lambda: None) -> None:
        """Open every connection that the pool keeps, so that the measure phase begins with a warm pool.

        Raises:
            psycopg.Error: what the server has against it.
        """
        held: list[PoolProxiedConnection] = []
        try:
            while len(held) < self.counts.size:
                held.append(self._engine.raw_connection())
                on_opened()
        except DBAPIError as error:
            raise error.orig or error from None
        finally:
            for connection in held:
                connection.close()

    def close(self) -> None:
        """Close every connection that is not in use; those that are, when they come back."""
        self._closed = True
        self._engine.dispose()

    def break_off(self) -> None:
        """End the connections that are in use: their transactions fail, and what waits on them wakes."""
        with self._counting:
            self._closed = True
            for connection in self._in_use:
                raw: Any = connection.dbapi_connection  # None when it is being thrown away
                if raw is not None:
                    break_off(raw)

    def transact(self, statement: Statement, parameters: Parameters, tenant: str) -> Transaction:
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
        self, transaction: Transaction, statement: Statement, parameters: Parameters, tenant: str
    ) -> str | None:
        connection: PoolProxiedConnection | None = None
        try:
            connection = self._check_out()
            if transaction.acquired == NOT_REACHED:
                transaction.acquired = _clock()
            wire: Wire = connection.info[WIRE]
            wire.begin(self._values(tenant, wire.encoding), read_only=statement.read_only)
            transaction.began = _clock()
            answer = wire.run(numbered(statement.sql), parameters)
            transaction.executed = _clock()
            fits = statement.min_rows <= answer.count <= statement.max_rows
            if statement.kind == "write" and not fits:  # some may be somebody else's: none of it stays
                self._check_in(connection, failed=True)
                return "wrong_row_count"
            wire.commit()
            transaction.committed = _clock()
            rows = answer.rows()
        except Exception as error:  # noqa: BLE001  # whatever it is, the operation ended with it
            self._check_in(connection, failed=True)
            return self._class_of(error, connected=connection is not None)
        else:
            self._check_in(connection)
        transaction.rows = answer.count
        transaction.leaked = _foreign(rows, statement, tenant)
        if transaction.leaked:
            return "tenant_leak"
        return None if fits else "wrong_row_count"

    def _class_of(self, error: Exception, *, connected: bool) -> str:
        if isinstance(error, PoolTimeoutError):
            with self._counting:
                self.counts.timeouts += 1
            return "pool_timeout"
        cause = error.orig if isinstance(error, DBAPIError) else error
        return error_class(cause, connected=connected)

    def _check_out(self) -> PoolProxiedConnection:
        connection = self._pool.connect()
        counts = self.counts
        with self._counting:  # costs far less than a query
            # seen under the lock: what is in use by then, `break_off` finds
            if not self._closed:
                self._in_use.add(connection)
                in_use = len(self._in_use)
                if in_use > counts.checked_out_most:
                    counts.checked_out_most, counts.overflow_most = in_use, max(0, in_use - counts.size)
                return connection
        connection.invalidate()  # it was waited for until the run was over
        raise psycopg.OperationalError("the run is over")

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


def _foreign(rows: Sequence[Row], statement: Statement, tenant: str) -> int:
    """How many of `rows` belong to another than `tenant`; one that belongs to nobody is there for all."""
    place = statement.tenant_index
    if place is None:
        return 0
    owners = [row[place] for row in rows]
    if not statement.tenant_as_text:
        owners = [owner if owner is None else str(owner) for owner in owners]
    foreign = len(owners) - owners.count(tenant)
    return foreign and foreign - owners.count(None)
