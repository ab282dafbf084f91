"""Whether the PostgreSQL can be loaded: it answers, as whom, whether it may be written to, what is left in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from nightbench.database.checking.checks import as_configuration_errors
from nightbench.database.connection import bounded, server_of
from nightbench.database.housekeeping.deletable import identifier
from nightbench.database.housekeeping.own_rows import housekeeping_connection
from nightbench.database.housekeeping.permission import check_permission, place_of
from nightbench.database.housekeeping.tags import ANY_RUN, SHAPE
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.doctor.finding import Finding, Topic
from nightbench.doctor.websocket import resolve
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.plan.workload import OwnRows
from nightbench.settings import Settings
from nightbench.wording import amount

SERVER = Topic("subject", "PostgreSQL")
CONNECTIONS = Topic("subject", "connections")
PERMISSION = Topic("subject", "write permission")
LEFTOVERS = Topic("subject", "leftovers")
STATISTICS = Topic("subject", "pg_stat_statements")

CONNECT_SECONDS = 3
LOOK_SECONDS = 1.5
"""That one question may take; with the connection it is less than a check has."""
OLDEST = 14
"""The oldest major version that is supported."""
NIGHTBENCH_ITSELF = 4
"""Connections beside those of the load: the steward, the observer, the probes, and one to explain with."""

_LIMITS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())
"""
_EXTENSION = "SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements'"
# the lock of `nightbench.database.housekeeping.lock`, which is looked at and never taken: a night may begin now
_AT_WORK = """
SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database() AND l.objsubid = 1
    AND (l.classid::bigint << 32 | l.objid::bigint) = %s
"""
_KEY = int.from_bytes(b"nightben", "big")


def judge_version(place: str, number: int) -> Finding:
    """Whether a server of this version (server_version_num) is supported."""
    major, minor = divmod(number, 10_000)
    if major < OLDEST:
        why = f"{place} answers with version {major}.{minor}; {OLDEST} and later are supported"
        return SERVER.warning(why, f"load a PostgreSQL {OLDEST} or later")
    return SERVER.ok(f"{place} answers with version {major}.{minor} ({OLDEST} and later are supported)")


def judge_connections(free: int, needed: int) -> Finding:
    """Whether the largest tier finds as many connections as its pool may open."""
    are = "is" if free == 1 else "are"
    why = f"{amount(free, 'connection')} {are} free and the largest tier opens up to {needed}"
    if free < needed:
        return CONNECTIONS.failure(why, "raise max_connections, or lower --pool-size and --max-overflow")
    return CONNECTIONS.ok(why)


def judge_leftovers(runs: int, *, at_work: bool) -> Finding:
    """What the rows of so many runs in the database mean."""
    if at_work:
        return LEFTOVERS.ok("a run is at work in this database: the rows in it are its own")
    if runs:
        why = f"rows of {amount(runs, 'run')} that did not end by themselves are still there; the next run removes them"
        return LEFTOVERS.warning(why, "nightbench database clean")
    return LEFTOVERS.ok("no rows of earlier runs")


def judge_statistics(there: int) -> Finding:
    """Whether slow statements can be explained by the server's own account."""
    if there:
        return STATISTICS.ok("the server's own account of statements is kept with a run")
    why = "this database does not have it: a slow night is explained without the server's own account"
    mend = "CREATE EXTENSION pg_stat_statements, with the server's shared_preload_libraries naming it"
    return STATISTICS.warning(why, mend)


def connections_needed(plan: DatabasePlan) -> int:
    """How many connections a load of `plan` may have open at once."""
    return plan.pool_connections + plan.max_overflow + NIGHTBENCH_ITSELF


def database_findings(settings: Settings, plan: DatabasePlan) -> Iterator[Finding]:
    """Ask the server, on one connection that loads nothing.

    Raises:
        ConfigurationError: when it cannot be reached or refuses, with the way out.
    """
    with connected(settings) as connection:
        yield judge_version(str(place_of(connection)), connection.info.server_version)
        yield judge_connections(_value(connection, _LIMITS), connections_needed(plan))
        yield _permission(connection, settings, plan)
        yield judge_statistics(_value(connection, _EXTENSION))
        if (own := plan.mix.own_rows) is not None:
            yield _leftovers(connection, plan, own)


@contextmanager
def connected(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection that ends in time; what the server has against it is a ConfigurationError."""
    assert settings.database_dsn is not None
    dsn = settings.database_dsn.get_secret_value()
    with as_configuration_errors(dsn):
        resolve(server_of(dsn)["host"])
        with housekeeping_connection(dsn, connect_timeout=CONNECT_SECONDS) as connection:
            yield connection


def is_at_work(connection: psycopg.Connection) -> bool:
    """Whether a run holds the database at this moment."""
    return bool(_value(connection, _AT_WORK, (_KEY,)))


def _permission(connection: psycopg.Connection, settings: Settings, plan: DatabasePlan) -> Finding:
    if not plan.mix.writes:
        return PERMISSION.ok("not needed: the plan's workload writes nothing")
    try:
        with bounded(connection, LOOK_SECONDS):
            check_permission(connection, plan.mix, allowed=settings.database_allowed)
    except ConfigurationError as error:
        return PERMISSION.failure(f"{error.value}: {error.problem}", error.way_out)
    return PERMISSION.ok(f"load tests may write to {place_of(connection)}")


def _leftovers(connection: psycopg.Connection, plan: DatabasePlan, own: OwnRows) -> Finding:
    """What the first tenant sees, who has a row of every run as long as others have any."""
    at_work = is_at_work(connection)
    tenant = load_provisions(plan).tenants[0]
    runs: set[str] = set()
    try:
        with bounded(connection, LOOK_SECONDS), connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION READ ONLY")
            TenantSettings(plan.mix.tenant_settings).apply(connection, tenant)
            for table in own.tables:
                tags = sql.SQL(
                    "SELECT DISTINCT {tag} FROM {table} WHERE {tag} LIKE %s AND {tag} ~ {shape}"
                ).format(
                    table=identifier(table.table),
                    tag=sql.Identifier(table.tag_column),
                    shape=sql.Literal(SHAPE),
                )
                runs.update(str(tag) for (tag,) in connection.execute(tags, (ANY_RUN,)))
    except psycopg.Error as error:
        mend = "nightbench doctor --only subject, once the tables of the workload are there"
        return LEFTOVERS.warning(f"not known: {error}", mend)
    return judge_leftovers(len(runs), at_work=at_work)


def _value(connection: psycopg.Connection, question: str, parameters: tuple[Any, ...] | None = None) -> int:
    with bounded(connection, LOOK_SECONDS):
        row = connection.execute(question.encode(), parameters).fetchone()
    assert row is not None
    return int(row[0])
