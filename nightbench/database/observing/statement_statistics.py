"""pg_stat_statements: the server's own account of the statements of the measure phase, where it keeps one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nightbench.database.observation import StatementStatistics
from nightbench.database.observing.side_connection import CURSOR, MARK, SideConnection
from nightbench.scrub import scrub

MOST = 20
"""Statements that are told of, by total time."""
LONGEST = 1000
"""Characters of a statement that are kept."""
HIDDEN = "<insufficient privilege>"
"""What pg_stat_statements shows for the statement of a role whose statistics may not be read."""

_PLACE = (
    f"SELECT {MARK} quote_ident(n.nspname) FROM pg_catalog.pg_extension AS e "  # noqa: S608  # a constant
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'"
)
_COUNTED = (
    "calls",
    "total_exec_time",
    "rows",
    "shared_blks_hit",
    "shared_blks_read",
    "temp_blks_written",
    "wal_bytes",
)
"""Columns since PostgreSQL 13, in the order of `StatementStatistics`."""

Key = tuple[Any, ...]
Counts = tuple[float, ...]


class StatementsUnseenError(Exception):
    """They cannot be seen; says why."""


class StatementCounters:
    """The counters of one database, by user and statement.

    Attributes:
        hidden: Whether some that ran are of roles whose statistics may not be read.

    Raises:
        StatementsUnseenError: when the database has no pg_stat_statements.
        psycopg.Error: when it does not answer.
    """

    def __init__(self, side: SideConnection) -> None:
        found = side.rows(_PLACE)
        if not found:
            raise StatementsUnseenError(
                "this database does not have it; CREATE EXTENSION pg_stat_statements, with the server's "
                "shared_preload_libraries naming it"
            )
        self._view = f"{found[0][0]}.pg_stat_statements"
        self._before = self._read(side)
        self.hidden = False

    def begin(self, side: SideConnection) -> None:
        """Count from here on."""
        self._before = self._read(side)

    def since_begin(self, side: SideConnection) -> tuple[StatementStatistics, ...]:
        """What was counted since, the most expensive first.

        Raises:
            psycopg.Error: when the server refuses, or does not answer.
        """
        grown = grown_most(self._before, self._read(side))
        # without the right to it there is no queryid either
        self.hidden = any(query is None for _user, query in grown)
        return statistics_of(grown, self._texts(side, [query for _user, query in grown]))

    def _read(self, side: SideConnection) -> dict[Key, Counts]:
        # without their texts, which are in a file
        sql = (
            f"SELECT {MARK} s.userid, s.queryid, {', '.join(f's.{name}' for name in _COUNTED)} "  # noqa: S608  # quoted
            f"FROM {self._view}(false) AS s "
            "WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())"
        )
        return summed(side.rows(sql))

    def _texts(self, side: SideConnection, ids: Sequence[Any]) -> dict[Any, str]:
        sql = f"SELECT {MARK} s.queryid, left(s.query, %s) FROM {self._view} AS s WHERE s.queryid = ANY(%s)"  # noqa: S608  # quoted
        wanted = [each for each in ids if each is not None]
        return {query: text for query, text in side.rows(sql, (LONGEST, wanted)) if text != HIDDEN}


def summed(rows: Sequence[tuple[Any, ...]]) -> dict[Key, Counts]:
    """Counters by user and statement: inside of functions and outside count as one."""
    counters: dict[Key, Counts] = {}
    for user, query, *counts in rows:
        numbers = tuple(map(float, counts))
        known = counters.get((user, query))
        counters[user, query] = (
            numbers if known is None else tuple(a + b for a, b in zip(known, numbers, strict=True))
        )
    return counters


def grown_most(before: Mapping[Key, Counts], after: Mapping[Key, Counts]) -> dict[Key, Counts]:
    """What was added, of those that ran, by total time; a statement that was forgotten between begins at 0.

    Some more than `MOST`, so that there are enough when the observer's own are left out.
    """
    grown = {}
    for key, counts in after.items():
        old = before.get(key)
        if old is None or any(now < then for now, then in zip(counts, old, strict=True)):
            grown[key] = counts
        elif counts[0] > old[0]:
            grown[key] = tuple(now - then for now, then in zip(counts, old, strict=True))
    order = sorted(grown, key=lambda key: grown[key][1], reverse=True)
    return {key: grown[key] for key in order[: 2 * MOST]}


def statistics_of(grown: Mapping[Key, Counts], texts: Mapping[Any, str]) -> tuple[StatementStatistics, ...]:
    """With their texts, but those that may not be seen and the observer's own."""
    return tuple(
        StatementStatistics(
            query=scrub(" ".join(texts[query].split())),
            calls=round(calls),
            total_ms=total_ms,
            rows=round(rows),
            blocks_hit=round(hit),
            blocks_read=round(read),
            temp_blocks=round(temp),
            wal_bytes=round(wal),
        )
        for (_user, query), (calls, total_ms, rows, hit, read, temp, wal) in grown.items()
        if query in texts and not any(own in texts[query] for own in (MARK, CURSOR))
    )[:MOST]
