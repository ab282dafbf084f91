"""What the catalog says of the tables of a workload. Every role may read it.

Names are as the server prints them, quoted where they have to be, so that they can stand in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row

Row = TypeVar("Row")

_TABLES: LiteralString = """
SELECT c.oid AS oid, n.nspname || '.' || c.relname AS key, c.oid::regclass::text AS name,
    greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::float8 AS rows, c.relrowsecurity AS row_security,
    (SELECT jsonb_object_agg(quote_ident(a.attname), format_type(a.atttypid, NULL))
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    coalesce(pg_stat_get_numscans(c.oid), 0)::float8
        + coalesce((SELECT sum(pg_stat_get_numscans(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid), 0)::float8
        AS scans
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND {}
"""

_KEYS: LiteralString = """
SELECT f.conname AS name, f.conrelid AS table_oid, f.conrelid::regclass::text AS table_name,
    f.confrelid::regclass::text AS referenced,
    ARRAY(SELECT quote_ident(a.attname) FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
          JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns
FROM pg_constraint f
WHERE f.contype = 'f' AND f.conparentid = 0 AND (f.conrelid = ANY(%(oids)s) OR f.confrelid = ANY(%(oids)s))
ORDER BY 3, 1
"""

_INDEXES: LiteralString = """
SELECT i.indexrelid AS oid, i.indexrelid::regclass::text AS name, i.indrelid AS table_oid,
    i.indrelid::regclass::text AS table_name, m.amname AS method, i.indnkeyatts::int AS key_columns,
    ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnatts) AS n) AS columns,
    i.indclass::text AS classes, i.indcollation::text AS collations, i.indoption::text AS options,
    pg_get_expr(i.indpred, i.indrelid) AS predicate, i.indisunique AS is_unique,
    EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = i.indexrelid) OR i.indisexclusion AS of_constraint,
    i.indisreplident AS replica_identity, i.indisvalid AND i.indislive AS valid, c.relpages::int AS pages,
    coalesce(pg_stat_get_numscans(i.indexrelid), 0)::float8 AS scans
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = ANY(%(oids)s)
ORDER BY 4, 1
"""

_POLICIES: LiteralString = """
SELECT p.polname AS raw_name, quote_ident(p.polname) AS name, p.polrelid AS table_oid,
    p.polrelid::regclass::text AS table_name,
    pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
FROM pg_policy p
WHERE p.polrelid = ANY(%(oids)s) AND EXISTS (
    SELECT FROM unnest(p.polroles) AS r (oid)
    WHERE r.oid = 0 OR pg_has_role(coalesce(%(role)s::name, current_user), r.oid, 'USAGE'))
ORDER BY 4, 1
"""

_COSTLY: LiteralString = """
SELECT DISTINCT called.name
FROM unnest(%(names)s::text[], %(schemas)s::text[], %(bare)s::text[]) AS called (name, schema, bare)
JOIN pg_proc p ON p.proname = called.bare JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind = 'f' AND p.provolatile IN ('s', 'v') AND (n.nspname <> 'pg_catalog' OR p.proname = 'current_setting')
    AND CASE WHEN called.schema = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = called.schema END
"""

_AGE: LiteralString = """
SELECT extract(epoch FROM now() - greatest(
    (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()),
    (SELECT stats_reset FROM pg_stat_bgwriter), pg_postmaster_start_time()))::float8
"""
"""Statistics of a database begin with its reset, those of a server that crashed with its recovery; a start that
kept them only makes them look younger than they are."""


@dataclass(frozen=True)
class Table:
    """`columns` are their types by name; `scans` those of it and of its indexes since the statistics began."""

    oid: int
    key: str
    name: str
    rows: float
    row_security: bool
    columns: Mapping[str, str]
    scans: float = 0.0


@dataclass(frozen=True)
class ForeignKey:
    """`columns` of the table `table_name` name a row of the table `referenced`."""

    name: str
    table_oid: int
    table_name: str
    referenced: str
    columns: Sequence[str]


@dataclass(frozen=True)
class Index:
    """`columns` as they are defined: the first `key_columns` are its key, the others only included.

    Attributes:
        classes: Of the operators, per key column; so are `collations` and `options` (descending, nulls first).
        of_constraint: A primary key, a unique or exclusion constraint, or what a foreign key refers to.
        scans: Since the statistics began.
    """

    oid: int
    name: str
    table_oid: int
    table_name: str
    method: str
    key_columns: int
    columns: Sequence[str]
    classes: str = ""
    collations: str = ""
    options: str = ""
    predicate: str | None = None
    is_unique: bool = False
    of_constraint: bool = False
    replica_identity: bool = False
    valid: bool = True
    pages: int = 0
    scans: float = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which it finds rows."""
        return tuple(self.columns[: self.key_columns])

    @property
    def included(self) -> frozenset[str]:
        """Those that it only carries."""
        return frozenset(self.columns[self.key_columns :])


@dataclass(frozen=True)
class Policy:
    """One that binds the role of the load; its conditions as the server prints them."""

    raw_name: str
    name: str
    table_oid: int
    table_name: str
    using: str | None
    with_check: str | None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those that it has."""
        return tuple(each for each in (self.using, self.with_check) if each)


@dataclass(frozen=True)
class Catalog:
    """What is known of the tables of a workload, and of those that refer to them.

    Attributes:
        tables: By ``schema.table``.
        of_workload: The oids of those that the workload names itself.
        costly: Functions that its policies call and that are neither immutable nor the server's own trifles.
        statistics_age: Seconds that the server's statistics are old at least.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    of_workload: frozenset[int] = frozenset()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    policies: tuple[Policy, ...] = ()
    costly: frozenset[str] = frozenset()
    statistics_age: float = 0.0

    def table(self, oid: int) -> Table | None:
        """The table of an oid."""
        return next((each for each in self.tables.values() if each.oid == oid), None)


def read_catalog(
    connection: psycopg.Connection[Any],
    relations: Collection[str],
    *,
    role: str | None,
    calls: Callable[[str], Iterable[str]],
) -> Catalog:
    """Read what concerns `relations`, ``schema.table`` each.

    Args:
        connection: In a transaction.
        relations: Those that the workload reads or writes.
        role: Whose policies count, None for that of the connection.
        calls: Gives the functions that an expression calls, by the names that it calls them.

    Raises:
        psycopg.Error: what the server has against it.
    """
    tables = _tables(connection, "n.nspname || '.' || c.relname = ANY(%(keys)s)", {"keys": list(relations)})
    own = [each.oid for each in tables]
    keys = _rows(connection, ForeignKey, _KEYS, {"oids": own})
    others = sorted({each.table_oid for each in keys} - set(own))
    tables += _tables(connection, "c.oid = ANY(%(oids)s)", {"oids": others})
    indexes = _rows(connection, Index, _INDEXES, {"oids": own + others})
    policies = _rows(connection, Policy, _POLICIES, {"oids": own, "role": role})
    called = {name for policy in policies for each in policy.conditions for name in calls(each)}
    age = connection.execute(_AGE).fetchone()
    return Catalog(
        tables={each.key: each for each in tables},
        of_workload=frozenset(own),
        foreign_keys=tuple(keys),
        indexes=tuple(indexes),
        policies=tuple(policies),
        costly=_costly(connection, called),
        statistics_age=float(age[0] or 0.0) if age else 0.0,
    )


def _tables(connection: psycopg.Connection[Any], which: LiteralString, values: dict[str, Any]) -> list[Table]:
    return _rows(connection, Table, _TABLES.format(which), values)


def _rows(
    connection: psycopg.Connection[Any], kind: type[Row], query: LiteralString, values: dict[str, Any]
) -> list[Row]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def _costly(connection: psycopg.Connection[Any], called: Iterable[str]) -> frozenset[str]:
    names = sorted(called)
    pieces = [name.rpartition(".") for name in names]
    values = {
        "names": names,
        "schemas": [schema.replace('"', "") for schema, _, _ in pieces],
        "bare": [bare.replace('"', "") for _, _, bare in pieces],
    }
    return frozenset(name for (name,) in connection.execute(_COSTLY, values))
