"""Has a workload's database any row-level security? Asked of the server, before anything is probed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from nightbench.database.checking.relations import relations_of
from nightbench.database.observing.side_connection import MARK, SideConnection
from nightbench.database.tenancy import TenantSettings

_EXPLAIN = "EXPLAIN (VERBOSE, FORMAT JSON) "
_GUARDED = (
    f"SELECT {MARK} coalesce(bool_or(a.relrowsecurity), false) "  # noqa: S608  # a constant
    "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    # a partition that is come to through its whole is guarded by the policies of that
    "CROSS JOIN LATERAL (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_ancestors(c.oid)) AS above (oid) "
    "JOIN pg_catalog.pg_class AS a ON a.oid = above.oid "
    "WHERE n.nspname || '.' || c.relname = ANY (%s)"
)


def is_guarded(
    side: SideConnection, settings: TenantSettings, tenant: str, statements: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether any table that statements read or write has row-level security; also when that cannot be told.

    Args:
        side: Outside of a transaction.
        settings: Make a transaction that of a tenant.
        tenant: One of those that take part.
        statements: Their parameters by their SQL.

    Raises:
        psycopg.Error: when the connection broke.
    """
    tables: set[str] = set()
    try:
        with side.rolled_back(settings, tenant):
            for sql, parameters in statements.items():
                found = relations_of(side.rows(_EXPLAIN + sql, parameters)[0][0][0]["Plan"]).all
                if not found:  # a function's, or of no row by what the server knows
                    return True
                tables |= found
            return bool(side.rows(_GUARDED, (sorted(tables),))[0][0])
    except psycopg.Error:
        if side.broken:
            raise
        return True
