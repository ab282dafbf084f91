"""What a transaction has changed, by the server's own count of it: also what functions and triggers did, that no plan shows.

The server counts for each table what its own session inserts, updates and deletes. Beside it the places of the
rows that carry the tag are read: a row that is updated moves to another place. Whatever was counted and is no move of
a tagged row happened to a row of somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from nightbench.database.housekeeping.deletable import identifier
from nightbench.plan.workload import WrittenTable

_COUNTS = """
SELECT n.nspname || '.' || c.relname, seen.inserted, seen.updated, seen.deleted, ARRAY(
    WITH RECURSIVE above (oid) AS (
        SELECT c.oid UNION SELECT i.inhparent FROM pg_catalog.pg_inherits AS i JOIN above ON i.inhrelid = above.oid)
    SELECT pn.nspname || '.' || p.relname FROM above
    JOIN pg_catalog.pg_class AS p ON p.oid = above.oid JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted) AS seen
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
AND seen.inserted + seen.updated + seen.deleted > 0
"""

_LOCKED = """
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.mode = 'AccessExclusiveLock'
AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
"""Tables that are emptied, altered or dropped, which is counted nowhere."""

Places = frozenset[tuple[object, object]]
"""Where rows are: table and place in it."""


@dataclass(frozen=True)
class Counts:
    """What a session did to the rows of one table.

    Attributes:
        under: The table and those that it is a part of, as ``schema.table``.
    """

    inserted: int
    updated: int
    deleted: int
    under: frozenset[str]

    def __sub__(self, other: Counts) -> Counts:
        return Counts(
            self.inserted - other.inserted,
            self.updated - other.updated,
            self.deleted - other.deleted,
            self.under,
        )

    @property
    def any(self) -> bool:
        """Whether it did anything."""
        return bool(self.inserted or self.updated or self.deleted)


@dataclass(frozen=True)
class Footprint:
    """The state of a transaction at one time.

    Attributes:
        counts: By table, ``schema.table``; since some time before the transaction.
        locked: Tables that are locked against everybody, as TRUNCATE and ALTER TABLE do.
        tagged: For each table of the run the places of its tagged rows, or how many there are where rows have no
            place that can be read, as those of a view.
    """

    counts: Mapping[str, Counts]
    locked: frozenset[str] = frozenset()
    tagged: tuple[Places | int, ...] = ()


@dataclass(frozen=True)
class Step:
    """What was changed between two looks.

    Attributes:
        elsewhere: Tables, ``schema.table``, that were changed and are none of the run's, or changed as a whole.
        foreign: Rows changed or deleted that did not carry the tag.
        untagged: Rows inserted, or changed, that do not carry it now.
    """

    elsewhere: tuple[str, ...]
    foreign: int
    untagged: int


def look(connection: psycopg.Connection, tables: Sequence[WrittenTable], tag: str) -> Footprint:
    """What the running transaction has changed so far.

    Args:
        connection: In a transaction of a tenant, who sees the rows.
        tables: Where tagged rows are.
        tag: Theirs.

    Raises:
        psycopg.Error: what the server has against it.
    """
    rows: Sequence[tuple[Any, ...]] = connection.execute(_COUNTS).fetchall()
    counts = {
        name: Counts(inserted, updated, deleted, frozenset(under))
        for name, inserted, updated, deleted, under in rows
    }
    locked = frozenset(name for (name,) in connection.execute(_LOCKED))
    return Footprint(counts, locked, tuple(_tagged(connection, table, tag) for table in tables))


def _tagged(connection: psycopg.Connection, table: WrittenTable, tag: str) -> Places | int:
    where = sql.SQL("FROM {} WHERE {} = %s").format(identifier(table.table), sql.Identifier(table.tag_column))
    try:
        with connection.transaction():
            found = connection.execute(sql.SQL("SELECT tableoid, ctid::text ") + where, (tag,)).fetchall()
            return frozenset((one, place) for one, place in found)
    except (psycopg.errors.UndefinedColumn, psycopg.errors.InsufficientPrivilege):
        row = connection.execute(sql.SQL("SELECT count(*) ") + where, (tag,)).fetchone()
        assert row is not None
        return int(row[0])


def step(before: Footprint, after: Footprint, *, own: Collection[str], beside: Collection[str] = ()) -> Step:
    """What was changed from one look to the next. Pure.

    Args:
        before: The first look.
        after: A later one at the same tables, in the same transaction.
        own: The run's tables as the server names them.
        beside: Others, of which it is no matter what becomes of them; a table in both is one of these.
    """
    nothing = Counts(0, 0, 0, frozenset())
    changed = {name: each - before.counts.get(name, nothing) for name, each in after.counts.items()}
    changed = {name: each for name, each in changed.items() if each.any and each.under.isdisjoint(beside)}
    ours = [each for each in changed.values() if not each.under.isdisjoint(own)]
    elsewhere = {name for name, each in changed.items() if each.under.isdisjoint(own)}
    elsewhere |= after.locked - before.locked - frozenset(beside)
    inserted, updated, deleted = (
        sum(getattr(each, what) for each in ours) for what in ("inserted", "updated", "deleted")
    )
    came, went = _moved(before, after, updated, deleted)
    return Step(tuple(sorted(elsewhere)), max(0, updated + deleted - went), max(0, inserted + updated - came))


def _moved(before: Footprint, after: Footprint, updated: int, deleted: int) -> tuple[int, int]:
    """How many tagged rows there are where none was, and how many are no longer where they were."""
    came = went = 0
    for one, other in zip(before.tagged, after.tagged, strict=True):
        if isinstance(one, frozenset) and isinstance(other, frozenset):
            came, went = came + len(other - one), went + len(one - other)
        else:  # their number alone is known: as many as there were may be those that were changed
            most, now = (len(each) if isinstance(each, frozenset) else each for each in (one, other))
            moved = min(most, updated + deleted)
            came, went = came + now - most + moved, went + moved
    return came, went
