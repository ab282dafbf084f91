"""Before any load: can this database be the subject? And what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from nightbench.database.session import SET_TENANT, claims
from nightbench.database.workload import Draw, Statement
from nightbench.errors import ConfigurationError
from nightbench.scrub import scrub

SETTING = "--dsn / NIGHTBENCH_DATABASE_DSN"

_FACTS = ("server_version", "max_connections", "shared_buffers", "fsync", "synchronous_commit")

_WAYS_OUT: dict[str, str] = {
    "28P01": "mend the password",
    "28000": "use a role that may log in",
    "3D000": "name an existing database",
    "42P01": "prepare it with the tables of the workload, or load the embedded reference",
    "42703": "prepare it with the tables of the workload, or load the embedded reference",
    "42501": "the role must be allowed to become 'authenticated' and use the tables",
    "22023": "create the role 'authenticated', or load the embedded reference",
}


_PHRASES: tuple[tuple[str, str], ...] = (
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
        raise ConfigurationError(SETTING, scrub(dsn), problem, way_out) from None


def _way_out(cause: BaseException | None, problem: str) -> str:
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    state = state or next((state for phrase, state in _PHRASES if phrase in problem), "")
    return _WAYS_OUT.get(state, "check that the server runs and the address is right")


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


def missing_tenants(connection: psycopg.Connection, tenants: Sequence[UUID]) -> int:
    """How many of the first and last of `tenants` the subject does not know."""
    ends = {tenants[0], tenants[-1]}
    missing = 0
    with connection.transaction(force_rollback=True):
        for tenant in ends:
            connection.execute(SET_TENANT, (claims(tenant),))
            row = connection.execute("SELECT count(*) FROM profiles WHERE id = %s", (tenant,)).fetchone()
            missing += row != (1,)
    return missing
