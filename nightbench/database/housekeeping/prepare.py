"""Making a database one that load tests may write to, and taking that back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from nightbench.allowed import Place
from nightbench.database.checking.checks import as_configuration_errors
from nightbench.database.connection import SETTING, bounded
from nightbench.database.housekeeping.own_rows import STATEMENT_SECONDS, housekeeping_connection
from nightbench.database.housekeeping.permission import SCHEMA, mark_of, place_of
from nightbench.errors import ConfigurationError

_COMMENT = sql.SQL("COMMENT ON SCHEMA {} IS {}")


def prepare_database(dsn: str) -> tuple[Place, bool]:
    """Mark a database as one that load tests may write to; where it is, and whether that was new.

    Raises:
        ConfigurationError: when it cannot be reached, or its role may not do that.
    """
    with _owner(dsn) as connection:
        mark = mark_of(connection)
        if mark.is_foreign:
            problem = f"its schema {SCHEMA} is somebody else's: it has another comment"
            raise ConfigurationError(SETTING, str(place_of(connection)), problem, "rename that schema")
        if not mark.allows:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
            connection.execute(_COMMENT.format(sql.Identifier(SCHEMA), mark.expected))
        return place_of(connection), not mark.allows


def withdraw_permission(dsn: str) -> tuple[Place, bool]:
    """Remove the mark of a database, and its schema when nothing else is in it; and whether there was one.

    Raises:
        ConfigurationError: when it cannot be reached, or its role may not do that.
    """
    with _owner(dsn) as connection:
        mark = mark_of(connection)
        if mark.comment is None or mark.is_foreign:
            return place_of(connection), False
        connection.execute(_COMMENT.format(sql.Identifier(SCHEMA), None))
        try:
            with connection.transaction():
                connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(SCHEMA)))
        except psycopg.errors.DependentObjectsStillExist:
            pass  # what somebody has put there stays
        return place_of(connection), True


@contextmanager
def _owner(dsn: str) -> Iterator[psycopg.Connection]:
    """A transaction of whoever may change the database's schemas."""
    with as_configuration_errors(dsn), housekeeping_connection(dsn) as connection:
        try:
            with bounded(connection, STATEMENT_SECONDS), connection.transaction():
                yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise ConfigurationError(
                SETTING,
                str(place_of(connection)),
                f"{connection.info.user} may not do that: {error.diag.message_primary}",
                "use the DSN of the owner of the database",
            ) from None
        except psycopg.errors.ReadOnlySqlTransaction:
            problem = "the server is read-only"
            raise ConfigurationError(SETTING, str(place_of(connection)), problem, "use its primary") from None
