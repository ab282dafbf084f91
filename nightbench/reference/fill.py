"""The reference's tables, roles and rows in an empty database of the user's."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from nightbench.database.checking.checks import as_configuration_errors
from nightbench.database.connection import SETTING
from nightbench.database.housekeeping.own_rows import housekeeping_connection
from nightbench.database.housekeeping.permission import place_of
from nightbench.errors import ConfigurationError
from nightbench.reference.postgres import LOGIN_ROLE, reference_template

FILL_SECONDS = 600.0
ROLES = ("nightbench_owner", "authenticated", "service_role", LOGIN_ROLE)
"""Those that the reference's schema makes; they belong to the whole server."""

_TABLES = """
SELECT format('%I.%I', nspname, relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
ORDER BY 1 LIMIT 1
"""
_TAKEN = "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1 LIMIT 1"
_SUPER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True)
class Filled:
    """What the database holds now: numbers of rows."""

    tenants: int
    expenses: int


def fill_database(dsn: str) -> Filled:
    """Make the reference's roles, tables and rows, all or nothing; it says itself that load tests may write there.

    Raises:
        ConfigurationError: when the database is not empty, its server has such roles already, or the DSN's
            role is no superuser; nothing is changed.
    """
    with (
        as_configuration_errors(dsn),
        housekeeping_connection(dsn, statement_timeout=FILL_SECONDS) as connection,
    ):
        _check_empty(connection)
        with connection.transaction():
            for script in reference_template().scripts:
                connection.execute(script.encode())
        connection.execute("VACUUM (ANALYZE)")
        row = connection.execute(
            "SELECT (SELECT count(*) FROM public.profiles), (SELECT count(*) FROM public.expenses)"
        ).fetchone()
        assert row is not None
        return Filled(*row)


def _check_empty(connection: psycopg.Connection) -> None:
    place = str(place_of(connection))
    if connection.execute(_SUPER).fetchone() != (True,):
        problem = f"{connection.info.user} is no superuser; the reference makes roles and an extension"
        raise ConfigurationError(SETTING, place, problem, "use the DSN of a superuser of a server for tests")
    if (table := connection.execute(_TABLES).fetchone()) is not None:
        problem = f"it is not empty: there is {table[0]}"
        raise ConfigurationError(SETTING, place, problem, "give the reference an empty database of its own")
    if (role := connection.execute(_TAKEN, (list(ROLES),)).fetchone()) is not None:
        problem = f"its server has a role {role[0]} already, which the reference would make"
        raise ConfigurationError(SETTING, place, problem, "use a server that has none of its roles")
