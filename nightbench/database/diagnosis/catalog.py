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

_NAMED: LiteralString = """
SELECT n.nspname || '.' || c.relname AS key, coalesce(pg_partition_root(c.oid), c.oid)::oid AS whole
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%(keys)s)
"""
"""Tables by their names; of a partition the table that it is a part of."""

_TABLES: LiteralString = """
SELECT c.oid AS oid, n.nspname || '.' || c.relname AS key, c.oid::regclass::text AS name,
    p.rows AS rows, c.relrowsecurity AS row_security,
    (SELECT jsonb_object_agg(quote_ident(a.attname), format_type(a.atttypid, NULL))
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    p.scans AS scans, c.relkind = 'p' AS partitioned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (
    SELECT coalesce(sum(greatest(q.reltuples, pg_stat_get_live_tuples(q.oid), 0)), 0)::float8 AS rows,
        coalesce(sum(pg_stat_get_numscans(q.oid) + coalesce(
            (SELECT sum(pg_stat_get_numscans(i.indexrelid)) FROM pg_index i WHERE i.indrelid = q.oid), 0)), 0)::float8
        AS scans
    FROM unnest(CASE c.relkind
            WHEN 'p' THEN ARRAY(SELECT t.relid::oid FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
            ELSE ARRAY[c.oid] END) AS part (oid)
        JOIN pg_class q ON q.oid = part.oid
) p
WHERE c.relkind IN ('r', 'p') AND c.oid = ANY(%(oids)s)
"""
"""Of a table that is divided, the partitions have the rows."""

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
    i.indisreplident AS replica_identity, i.indisvalid AND i.indislive AS valid, p.pages AS pages, p.scans AS scans,
    c.relkind = 'I' AS partitioned
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam, LATERAL (
    SELECT coalesce(sum(q.relpages), 0)::int AS pages,
        coalesce(sum(pg_stat_get_numscans(q.oid)), 0)::float8 AS scans
    FROM unnest(CASE c.relkind
            WHEN 'I' THEN ARRAY(SELECT t.relid::oid FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
            ELSE ARRAY[c.oid] END) AS part (oid)
        JOIN pg_class q ON q.oid = part.oid
) p
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
SELECT called.name, bool_or(p.provolatile = 'v')
FROM unnest(%(names)s::text[], %(schemas)s::text[], %(bare)s::text[]) AS called (name, schema, bare)
JOIN pg_proc p ON p.proname = called.bare JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind = 'f' AND p.provolatile IN ('s', 'v') AND (n.nspname <> 'pg_catalog' OR p.proname = 'current_setting')
    AND CASE WHEN called.schema = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = called.schema END
GROUP BY called.name
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
    """`columns` are their types by name; `scans` those of it and of its indexes since the statistics began.

    Rows and scans of a partitioned table are those of all its partitions.
    """

    oid: int
    key: str
    name: str
    rows: float
    row_security: bool
    columns: Mapping[str, str]
    scans: float = 0.0
    partitioned: bool = False

    def with_index(self, columns: Sequence[str]) -> str:
        """What to do for an index of it on `columns`."""
        on = f"{self.name} ({', '.join(columns)})"
        if not self.partitioned:
            return f"CREATE INDEX CONCURRENTLY ON {on}"
        return (
            f"CREATE INDEX ON {on}; it stops writes meanwhile, unless it is made ON ONLY {self.name} and those of its "
            "partitions, CONCURRENTLY each, are attached to it"
        )


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
        pages: Of 8 KiB; of a partitioned table's index those of all its parts, as are `scans`.
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
    partitioned: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which it finds rows."""
        return tuple(self.columns[: self.key_columns])

    @property
    def dropped(self) -> str:
        """What drops it."""
        return f"DROP INDEX {'' if self.partitioned else 'CONCURRENTLY '}{self.name}"

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
        tables: By ``schema.table``; by the name of a partition the table that it is a part of.
        of_workload: The oids of those that the workload names itself.
        costly: Functions that its policies call and that are neither immutable nor the server's own trifles.
        volatile: Those of them whose answer may differ from row to row.
        statistics_age: Seconds that the server's statistics are old at least.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    of_workload: frozenset[int] = frozenset()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    policies: tuple[Policy, ...] = ()
    costly: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()
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
    named = dict(connection.execute(_NAMED, {"keys": list(relations)}).fetchall())
    own = sorted(set(named.values()))
    keys = _rows(connection, ForeignKey, _KEYS, {"oids": own})
    others = sorted({each.table_oid for each in keys} - set(own))
    tables = {each.oid: each for each in _rows(connection, Table, _TABLES, {"oids": own + others})}
    indexes = _rows(connection, Index, _INDEXES, {"oids": own + others})
    policies = _rows(connection, Policy, _POLICIES, {"oids": own, "role": role})
    called = {name for policy in policies for each in policy.conditions for name in calls(each)}
    costly = _costly(connection, called)
    age = connection.execute(_AGE).fetchone()
    return Catalog(
        tables={
            **{each.key: each for each in tables.values()},
            **{name: tables[whole] for name, whole in named.items()},
        },
        of_workload=frozenset(own),
        foreign_keys=tuple(keys),
        indexes=tuple(indexes),
        policies=tuple(policies),
        costly=frozenset(costly),
        volatile=frozenset(name for name, volatile in costly.items() if volatile),
        statistics_age=float(age[0] or 0.0) if age else 0.0,
    )


def _rows(
    connection: psycopg.Connection[Any], kind: type[Row], query: LiteralString, values: dict[str, Any]
) -> list[Row]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def _costly(connection: psycopg.Connection[Any], called: Iterable[str]) -> dict[str, bool]:
    """Those that cost something, and whether they are volatile."""
    names = sorted(called)
    pieces = [name.rpartition(".") for name in names]
    values = {
        "names": names,
        "schemas": [schema.replace('"', "") for schema, _, _ in pieces],
        "bare": [bare.replace('"', "") for _, _, bare in pieces],
    }
    return dict(connection.execute(_COSTLY, values).fetchall())
