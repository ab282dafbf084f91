"""Before any load: can this database be the subject? And what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from nightbench.database.connection import SETTING, TOO_MANY_CONNECTIONS
from nightbench.database.own_rows import housekeeping_connection
from nightbench.database.workload import Draw, Statement
from nightbench.errors import ConfigurationError
from nightbench.scrub import scrub, scrub_address
from nightbench.tenants import SET_TENANT, claims

REACHABLE_SECONDS = 5

_FACTS = ("server_version", "max_connections", "shared_buffers", "fsync", "synchronous_commit")

_WAYS_OUT: dict[str, str] = {
    "28P01": "mend the password",
    "28000": "use a role that may log in",
    "3D000": "name an existing database",
    "42P01": "prepare it with the tables of the workload, or load the embedded reference",
    "42703": "prepare it with the tables of the workload, or load the embedded reference",
    "42501": "the role must be allowed to become 'authenticated' and use the tables",
    "22023": "create the role 'authenticated', or load the embedded reference",
    "53300": "lower --pool-size and --max-overflow",
    "57014": "see what else is at work in the database",
}

_PHRASES: tuple[tuple[str, str], ...] = (
    *((phrase, "53300") for phrase in TOO_MANY_CONNECTIONS),
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("does not exist", "3D000"),
)
"""A refused connection has no SQLSTATE in libpq, only these words."""


@contextmanager
def as_configuration_errors(dsn: str) -> Iterator[None]:
    """Tell what the server refuses before any load as a wrong setting, with the way out."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        problem = scrub(" ".join(str(cause).split()))
        way_out = _way_out(cause, problem)
        raise ConfigurationError(SETTING, scrub_address(dsn), problem, way_out) from None
    except UnicodeError:  # from the look-up of a host; its text may repeat pieces of the DSN
        problem = "its host is nothing that can be looked up"
        raise ConfigurationError(SETTING, scrub_address(dsn), problem, "mend the address") from None


def _way_out(cause: BaseException | None, problem: str) -> str:
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    state = state or next((state for phrase, state in _PHRASES if phrase in problem.lower()), "")
    return _WAYS_OUT.get(state, "check that the server runs and the address is right")


def check_reachable(dsn: str) -> None:
    """Connect once and leave again, before anything else is begun.

    Raises:
        ConfigurationError: when the server cannot be reached or refuses, with the way out.
    """
    with as_configuration_errors(dsn), housekeeping_connection(dsn, connect_timeout=REACHABLE_SECONDS):
        pass


def check_workload(connection: psycopg.Connection, draw: Draw, statements: Sequence[Statement]) -> None:
    """Run each statement once as a tenant, and take it back.

    Raises:
        psycopg.Error: what the server has against one of them.
    """
    with connection.transaction(force_rollback=True):
        connection.execute(SET_TENANT, (claims(draw.tenant),))
        for statement in statements:
            parameters = statement.parameters(draw)
            connection.execute(statement.sql, parameters)


def server_facts(connection: psycopg.Connection) -> dict[str, str]:
    """Version and the settings that change what a benchmark sees."""
    row = connection.execute(
        "SELECT " + ", ".join(f"current_setting('{name}')" for name in _FACTS)  # constants
    ).fetchone()
    assert row is not None
    return dict(zip(_FACTS, row, strict=True))


def check_tenants(connection: psycopg.Connection, tenants: Sequence[UUID]) -> None:
    """See that the subject knows the first and the last of `tenants`.

    Raises:
        ConfigurationError: when it does not.
    """
    with connection.transaction(force_rollback=True):
        for tenant in (tenants[0], tenants[-1]):
            connection.execute(SET_TENANT, (claims(tenant),))
            row = connection.execute("SELECT count(*) FROM profiles WHERE id = %s", (tenant,)).fetchone()
            if row != (1,):
                raise ConfigurationError(
                    "--tenants",
                    len(tenants),
                    "the subject does not have that many of nightbench's tenants",
                    "lower it, or load the embedded reference",
                )
