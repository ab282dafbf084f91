"""How many rows the tenants see in the tables that a run writes to: before and after it they are the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from nightbench.database.connection import bounded
from nightbench.database.housekeeping.deletable import distinct, identifier
from nightbench.database.tenancy import TenantSettings
from nightbench.plan.workload import OwnRows

COUNT_SECONDS = 10.0
"""How long the counting of one table may go on; some huge ones would be read once for each tenant."""
_BATCH = 200
"""Tenants per transaction at most; as many as before and one in each, so that the time is known before it is spent."""

_NARROWED = "SELECT relkind = 'v' OR row_security_active(oid) FROM pg_class WHERE oid = to_regclass(%s)"


def row_counts(
    connection: psycopg.Connection,
    own: OwnRows,
    settings: TenantSettings,
    tenants: Sequence[str],
    *,
    on_batch: Callable[[], None] = lambda: None,
    seconds: float = COUNT_SECONDS,
) -> dict[str, int]:
    """How many rows all of `tenants` see together, by the name of the table in the plan.

    A table that takes longer than `seconds` to count is left out. One that no policy narrows is counted once.

    Raises:
        psycopg.Error: what the server has against it.
    """
    differing = distinct(settings, tenants)
    counts: dict[str, int] = {}
    for name in dict.fromkeys(table.table for table in own.tables):
        whose = differing if _is_narrowed(connection, name, settings, differing[0]) else differing[:1]
        count = _count(connection, name, settings, whose, on_batch=on_batch, seconds=seconds)
        if count is not None:
            counts[name] = count
    return counts


def _is_narrowed(connection: psycopg.Connection, name: str, settings: TenantSettings, tenant: str) -> bool:
    with bounded(connection, COUNT_SECONDS), connection.transaction():
        settings.apply(connection, tenant)
        row = connection.execute(_NARROWED, (identifier(name).as_string(connection),)).fetchone()
    return row is None or bool(row[0])


def _count(
    connection: psycopg.Connection,
    name: str,
    settings: TenantSettings,
    tenants: Sequence[str],
    *,
    on_batch: Callable[[], None],
    seconds: float,
) -> int | None:
    query = sql.SQL("SELECT count(*) FROM {}").format(identifier(name))
    end = time.monotonic() + seconds
    count = done = 0
    while done < len(tenants):
        if time.monotonic() >= end:
            return None
        batch = tenants[done : done + min(done + 1, _BATCH)]
        try:
            with bounded(connection, 2 * seconds):
                count += _sum(connection, query, settings, batch)
        except psycopg.errors.QueryCanceled:
            return None
        done += len(batch)
        on_batch()
    return count


def _sum(
    connection: psycopg.Connection, query: sql.Composed, settings: TenantSettings, tenants: Sequence[str]
) -> int:
    counts = []
    with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
        for tenant in tenants:
            settings.apply(cursor, tenant)
            counts.append(connection.execute(query))
    return sum(row[0] for each in counts if (row := each.fetchone()) is not None)
