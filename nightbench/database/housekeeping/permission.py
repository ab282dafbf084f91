"""Where a load test may write, and as whom: only where somebody has allowed it, and only as a role that policies bind.

The mark of a prepared database is the comment of its schema `SCHEMA`, which everybody can read. It names the
database, its oid and its server, so that no dump carries the permission elsewhere; a copy of the whole server's files
does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from nightbench.allowed import Place
from nightbench.database.connection import SETTING
from nightbench.database.tenancy import ROLE, TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan.workload import WorkloadPlan

SCHEMA = "nightbench"
ALLOWED_SETTING = "NIGHTBENCH_DATABASE_ALLOWED"
_OURS = "nightbench: "

_LOOK = """
SELECT current_database(), database.oid::text, server.system_identifier::text,
    schema.oid, obj_description(schema.oid, 'pg_namespace')
FROM pg_control_system() AS server CROSS JOIN pg_database AS database LEFT JOIN pg_namespace AS schema ON schema.nspname = %s
WHERE database.datname = current_database()
"""


@dataclass(frozen=True)
class Mark:
    """What a database says of itself.

    Attributes:
        expected: The comment that allows load tests to write to this very database.
        schema: Whether there is a schema `SCHEMA`.
        comment: Its comment, None without one.
    """

    expected: str
    schema: bool
    comment: str | None

    @property
    def allows(self) -> bool:
        """Whether load tests may write here."""
        return self.comment == self.expected

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has given the schema its comment."""
        return self.comment is not None and not self.comment.startswith(_OURS)


def mark_of(connection: psycopg.Connection) -> Mark:
    """Read the mark of a database."""
    row = connection.execute(_LOOK, (SCHEMA,)).fetchone()
    assert row is not None
    database, oid, server, schema, comment = row
    expected = f"{_OURS}load tests may write to {database} (oid {oid} of server {server})"
    return Mark(expected, schema is not None, comment)


def place_of(connection: psycopg.Connection) -> Place:
    """Where the connected database is, as libpq resolved the DSN."""
    info = connection.info
    # an address that the DSN gives beside the name is the one that libpq connects to
    host = info.get_parameters().get("hostaddr") or info.host
    return Place(host.lower(), info.port, info.dbname)


def check_writable(connection: psycopg.Connection, *, allowed: Sequence[str]) -> None:
    """See that somebody has allowed load tests to write to this database.

    Args:
        connection: To it.
        allowed: The entries of the allow-list.

    Raises:
        ConfigurationError: with the ways out.
    """
    place = place_of(connection)
    if place in {Place.parse(entry) for entry in allowed} or mark_of(connection).allows:
        return
    raise ConfigurationError(
        SETTING,
        str(place),
        "nobody has allowed load tests to write to this database",
        "run `nightbench database prepare --dsn` with the DSN of its owner, "
        f"or set {ALLOWED_SETTING}={place}, or leave the DSN out to load the embedded reference",
    )


def check_permission(connection: psycopg.Connection, mix: WorkloadPlan, *, allowed: Sequence[str]) -> None:
    """See that `mix` may run in this database: always when it only reads; see `check_writable`.

    Raises:
        ConfigurationError: with the ways out.
    """
    if mix.writes:
        check_writable(connection, allowed=allowed)


_WHO = """
SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user
"""
_UNBOUND = """
SELECT nspname || '.' || relname, pg_get_userbyid(relowner) = current_user
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE nspname || '.' || relname = ANY (%s) AND relrowsecurity AND NOT row_security_active(c.oid)
ORDER BY 1 LIMIT 1
"""


def check_roles(
    connection: psycopg.Connection,
    mix: WorkloadPlan,
    settings: TenantSettings,
    relations: Mapping[str, frozenset[str]],
    tenant: str,
) -> None:
    """See that policies bind whoever asks the reads that are checked for rows of other tenants.

    A table without row-level security is none of this check's: what leaks there is measured.

    Args:
        connection: In autocommit mode.
        mix: The workload.
        settings: How a transaction becomes one of a tenant.
        relations: ``schema.table`` that each statement reads or writes, by the statement's name.
        tenant: One of those that take part.

    Raises:
        ConfigurationError: with the way out.
    """
    checked = [each.name for each in mix.statements if each.tenant_column is not None]
    if not checked:
        return
    tables = sorted(frozenset[str]().union(*(relations.get(name, frozenset()) for name in checked)))
    with connection.transaction(force_rollback=True):
        settings.apply(connection, tenant)
        who = connection.execute(_WHO).fetchone()
        unbound = connection.execute(_UNBOUND, (tables,)).fetchone()
    assert who is not None
    role, is_super, bypasses = who
    if is_super or bypasses:
        problem = "it is a superuser" if is_super else "it has BYPASSRLS"
        raise _unbound(
            settings, role, f"{problem}: no policy binds it, and no leak could be told from a right"
        )
    if unbound is not None:
        table, owns = unbound
        problem = f"row-level security does not bind it in {table}"
        if owns:
            problem += f", which it owns; ALTER TABLE {table} FORCE ROW LEVEL SECURITY would"
        raise _unbound(settings, role, problem)


def _unbound(settings: TenantSettings, role: str, problem: str) -> ConfigurationError:
    where = SETTING if settings.role is None else f"workload.tenant_settings.{ROLE}"
    way_out = (
        f"set workload.tenant_settings.{ROLE} to the role that the application's requests have, "
        "or use the DSN of such a role, or leave tenant_column out where rows are not checked"
    )
    return ConfigurationError(where, role, problem, way_out)
