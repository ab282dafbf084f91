"""The observer's own connection: it counts what it costs, and takes back what it did."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from nightbench.database.connection import APPLICATION_NAME, connection_parameters, keep_open
from nightbench.database.tenancy import TenantSettings

OBSERVER = f"{APPLICATION_NAME} observer"
STATEMENT_SECONDS = 5.0
"""How long the server may work on one of its statements."""
LOCK_SECONDS = 0.5
"""How long one may wait for a lock: it stands in nobody's way for longer."""
CONNECT_SECONDS = 3
MARK = "/* nightbench observer */"
"""Stands in each statement about statistics, so that they can be told from the load's."""
CURSOR = "nightbench_observer"
"""Of its probes, for the same end."""

Parameters = Mapping[str, Any] | Sequence[Any]
Row = tuple[Any, ...]

_clock = time.perf_counter


@dataclass
class Cost:
    """What the connection had the server do: how many statements, and how many seconds it waited for them."""

    queries: int = 0
    seconds: float = 0.0


class SideConnection:
    """One connection in autocommit mode whose statements are counted in `cost`."""

    def __init__(self, connection: psycopg.Connection, cost: Cost) -> None:
        self.connection = connection
        self._cost = cost

    @property
    def broken(self) -> bool:
        """Whether it is of no use any more."""
        return self.connection.closed

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """Every row of a statement.

        Raises:
            psycopg.Error: what the server has against it.
        """
        with self._timed():
            return self.connection.execute(sql.encode(), parameters).fetchall()

    def owned_rows(self, sql: str, parameters: Parameters, *, owner: str, most: int) -> int:
        """How many rows of a read say in the column `owner` whose they are; inside of a transaction.

        A row with NULL there is nobody's. No more than `most` are counted, of the first `10 * most` rows.
        """
        # closing: a cursor that could not tell the server of its end is closed when the connection is
        with self._timed(), closing(self.connection.cursor(CURSOR)) as cursor, cursor:
            cursor.execute(sql.encode(), parameters)
            place = [column.name for column in cursor.description or ()].index(owner)
            found = 0
            for _ in range(10):
                rows = cursor.fetchmany(most)
                found += sum(row[place] is not None for row in rows)
                if found >= most or len(rows) < most:
                    break
            return min(found, most)

    def changed_rows(self, sql: str, parameters: Parameters) -> int:
        """How many rows a write changed."""
        with self._timed():
            return max(0, self.connection.execute(sql.encode(), parameters).rowcount)

    @contextmanager
    def rolled_back(self, settings: TenantSettings, tenant: str) -> Iterator[None]:
        """A transaction with `settings` for `tenant` that is taken back at the end of the block."""
        with self._timed():
            self.connection.execute("BEGIN")
        try:
            if settings.sql:
                with self._timed():
                    settings.apply(self.connection, tenant)
            yield
        finally:
            if not self.broken:
                with self._timed():
                    self.connection.rollback()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = _clock()
        try:
            yield
        finally:
            self._cost.queries += 1
            self._cost.seconds += _clock() - began


def open_side_connection(dsn: str, statement_timeout: float) -> psycopg.Connection:
    """Connect as the observer; `statement_timeout` in seconds, at most `STATEMENT_SECONDS`.

    Raises:
        ConfigurationError: when the DSN cannot be parsed.
        psycopg.Error: when the server cannot be reached or refuses.
    """
    parameters = connection_parameters(
        dsn,
        application_name=OBSERVER,
        statement_timeout=min(statement_timeout, STATEMENT_SECONDS),
        lock_timeout=LOCK_SECONDS,
    )
    connection = psycopg.connect(**{**parameters, "connect_timeout": CONNECT_SECONDS}, autocommit=True)
    keep_open(connection, CONNECT_SECONDS, mark=MARK)
    return connection
