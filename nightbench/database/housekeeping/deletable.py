"""Tagged rows: how they are deleted, and whether that can be done without reading all there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import psycopg
from psycopg import sql

from nightbench.database.checking.relations import nodes_of
from nightbench.database.housekeeping.tags import SHAPE
from nightbench.database.tenancy import TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan.workload import OwnRows, WrittenTable

MOST_ROWS_READ = 100_000_000
"""By one removal: some 10 s of a server that does nothing else."""


def identifier(name: str) -> sql.Identifier:
    """A table, with its schema or without, as SQL."""
    return sql.Identifier(*name.split("."))


def delete_of(table: WrittenTable, operator: Literal["LIKE", "="]) -> sql.Composed:
    """Deletes the rows of a table whose tag is its one parameter, or is a tag of any run and like it."""
    column = sql.Identifier(table.tag_column)
    deletion = sql.SQL("DELETE FROM {} WHERE {} {} %s").format(
        identifier(table.table), column, sql.SQL(operator)
    )
    if operator == "=":
        return deletion
    return sql.SQL("{} AND {} ~ {}").format(deletion, column, sql.Literal(SHAPE))


def distinct(settings: TenantSettings, tenants: Sequence[str]) -> Sequence[str]:
    """Those of `tenants`, in order, whose transactions differ: without tenant settings one stands for all."""
    seen: dict[tuple[str, ...], str] = {}
    for tenant in tenants:
        seen.setdefault(settings.values(tenant), tenant)
    return list(seen.values())


def check_deletable(connection: psycopg.Connection, own: OwnRows, tag: str, *, tenants: int) -> None:
    """See that the rows like `tag` can be deleted as the running transaction's tenant, and without reading too much.

    Args:
        connection: In a transaction that is one of a tenant.
        own: Where the rows are.
        tag: A pattern.
        tenants: As how many of them the rows are deleted, each anew.

    Raises:
        ConfigurationError: naming the table, with the index that would serve.
        psycopg.Error: when there is no such table, or it must not be deleted from.
    """
    for number, table in enumerate(own.tables):
        explain = sql.SQL("EXPLAIN (VERBOSE, FORMAT JSON) {}").format(delete_of(table, "LIKE"))
        (plan,) = connection.execute(explain, (tag,)).fetchone() or ([],)
        rows = sum(
            _rows(connection, node["Schema"], node["Relation Name"])
            for each in plan
            for node in nodes_of(each["Plan"])
            if node["Node Type"] == "Seq Scan"
        )
        if rows * tenants > MOST_ROWS_READ:
            tag_column = sql.Identifier(table.tag_column)
            index = sql.SQL("CREATE INDEX ON {} ({}) WHERE {} IS NOT NULL").format(
                identifier(table.table), tag_column, tag_column
            )
            raise ConfigurationError(
                f"workload.own_rows.tables[{number}].tag_column",
                table.tag_column,
                f"no index finds the rows of a run again: {table.table} would be read as each of "
                f"{tenants:,} tenants, {rows:,} rows every time",
                index.as_string(connection),
            )


def _rows(connection: psycopg.Connection, schema: str, table: str) -> int:
    """As many as the server believes there are; by its size when it has not looked yet."""
    row = connection.execute(
        "SELECT CASE WHEN reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE reltuples::bigint END "
        "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE relname = %s AND nspname = %s",
        (table, schema),
    ).fetchone()
    return row[0] if row else 0
