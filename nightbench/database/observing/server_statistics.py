"""The server's statistics: counters and gauges from its views, and what the load's connections wait for.

The queries keep to what PostgreSQL has had since 14, or take rows as JSON, so that a column that another
version does not have is left out instead of failing the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from nightbench.database.observing.activity import Activity
from nightbench.database.observing.side_connection import MARK, OBSERVER, SideConnection
from nightbench.scrub import scrub


@dataclass(frozen=True)
class View:
    """One source of figures.

    Attributes:
        name: As it is told when it cannot be seen.
        sql: Gives one row with one JSON object.
        counters: Members that only grow.
        gauges: Members that are as they are.
        before: The first version (server_version_num) that does not have it as `sql` says.
        since: The first version that has.
    """

    name: str
    sql: str
    counters: tuple[str, ...]
    gauges: tuple[str, ...] = ()
    since: int = 0
    before: int = 1_000_000


_TABLES_COUNTED = (
    "seq_scan",
    "seq_tup_read",
    "idx_scan",
    "n_tup_upd",
    "n_tup_hot_upd",
    "vacuum_count",
    "autovacuum_count",
    "analyze_count",
    "autoanalyze_count",
)
_TABLES_GAUGED = ("n_live_tup", "n_dead_tup")
_SUMS = ", ".join(f"'{name}', coalesce(sum(t.{name}), 0)" for name in (*_TABLES_COUNTED, *_TABLES_GAUGED))

VIEWS = (
    View(
        "pg_stat_database",
        f"SELECT {MARK} to_jsonb(d) FROM pg_catalog.pg_stat_database AS d WHERE d.datname = current_database()",  # noqa: S608  # constants
        (
            "xact_commit",
            "xact_rollback",
            "blks_hit",
            "blks_read",
            "tup_returned",
            "tup_fetched",
            "tup_inserted",
            "tup_updated",
            "tup_deleted",
            "conflicts",
            "temp_files",
            "temp_bytes",
            "deadlocks",
            "blk_read_time",
            "blk_write_time",
            "active_time",
            "idle_in_transaction_time",
        ),
    ),
    View(
        "pg_stat_wal",
        f"SELECT {MARK} to_jsonb(w) FROM pg_catalog.pg_stat_wal AS w",  # noqa: S608  # constants
        ("wal_records", "wal_fpi", "wal_bytes", "wal_buffers_full"),
    ),
    View(
        "pg_stat_bgwriter",
        f"SELECT {MARK} jsonb_build_object('checkpoints', b.checkpoints_timed + b.checkpoints_req) "  # noqa: S608  # constants
        "FROM pg_catalog.pg_stat_bgwriter AS b",
        ("checkpoints",),
        before=170_000,
    ),
    View(
        "pg_stat_checkpointer",
        f"SELECT {MARK} jsonb_build_object('checkpoints', c.num_timed + c.num_requested) "  # noqa: S608  # constants
        "FROM pg_catalog.pg_stat_checkpointer AS c",
        ("checkpoints",),
        since=170_000,
    ),
    View(
        "pg_stat_user_tables",
        f"SELECT {MARK} jsonb_build_object({_SUMS}) FROM pg_catalog.pg_stat_user_tables AS t",  # noqa: S608  # constants
        _TABLES_COUNTED,
        _TABLES_GAUGED,
    ),
)

_ACTIVITY = (
    f"SELECT {MARK} a.application_name = %s, a.datname = current_database(), a.state, a.wait_event_type, "  # noqa: S608  # constants
    "a.wait_event, count(*) FROM pg_catalog.pg_stat_activity AS a "
    "WHERE a.usesysid IS NOT NULL AND a.application_name <> %s "
    # which it is, is hidden without the right to see it
    "AND coalesce(a.backend_type, 'client backend') IN ('client backend', 'parallel worker') "
    "GROUP BY 1, 2, 3, 4, 5"
)
_LOCKS = f"SELECT {MARK} count(*) FROM pg_catalog.pg_locks AS l WHERE NOT l.granted"  # noqa: S608  # constants
_CONNECTIONS = f"SELECT {MARK} current_setting('max_connections')::integer"


class Counters:
    """Adds up how the server's counters went on, also over a restart that set them to zero. Pure.

    Attributes:
        totals: What was added since the first look, by name.
        resets: How often one of them fell.
    """

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self.totals: dict[str, float] = {}
        self.resets = 0

    def see(self, values: Mapping[str, float]) -> None:
        """The counters as they are now."""
        for name, value in values.items():
            last = self._last.get(name, value)
            if value < last:
                self.resets += 1
                last = 0.0  # what was counted between the last look and the reset is lost
            self.totals[name] = self.totals.get(name, 0.0) + value - last
            self._last[name] = value


class ServerStatistics:
    """What the views say from the first look on.

    Args:
        load_application: The application_name of the load's connections.

    Attributes:
        looks: How many there were.
        absent: Why a view cannot be seen, by its name.
    """

    def __init__(self, load_application: str) -> None:
        self._load_application = load_application
        self._counters = Counters()
        self._activity = Activity()
        self._gauges: dict[str, float] = {}
        self.looks = 0
        self.absent: dict[str, str] = {}

    @property
    def counters(self) -> dict[str, float]:
        """Differences since the first look, by name."""
        return dict(self._counters.totals)

    @property
    def gauges(self) -> dict[str, float]:
        """Figures of the last look and the most of all, by name."""
        return {**self._gauges, **self._activity.most}

    @property
    def waits(self) -> dict[str, int]:
        """What the load's connections were seen doing, the most frequent first."""
        return dict(self._activity.waits.most_common())

    @property
    def glances(self) -> int:
        """How many samples are behind `waits`."""
        return self._activity.glances

    @property
    def resets(self) -> int:
        """How often a counter fell: the server lost its statistics."""
        return self._counters.resets

    @property
    def hidden(self) -> int:
        """How many connections of the load did not show what they do."""
        return self._activity.hidden

    def look(self, side: SideConnection) -> None:
        """Read every view.

        Raises:
            psycopg.Error: when the connection broke.
        """
        version = side.connection.info.server_version
        for view in VIEWS:
            if view.since <= version < view.before and (found := self._ask(view.name, view.sql, side)):
                figures: dict[str, Any] = found[0][0]
                self._counters.see(_numbers(figures, view.counters))
                self._gauges.update(_numbers(figures, view.gauges))
        if "max_connections" not in self._gauges and (
            found := self._ask("max_connections", _CONNECTIONS, side)
        ):
            self._gauges["max_connections"] = float(found[0][0])
        self.looks += 1

    def glance(self, side: SideConnection) -> None:
        """See what the connections do at this moment.

        Raises:
            psycopg.Error: when the connection broke.
        """
        rows = self._ask("pg_stat_activity", _ACTIVITY, side, (self._load_application, OBSERVER))
        if "pg_stat_activity" not in self.absent:
            self._activity.see(rows)  # nobody there was seen as well
        if rows := self._ask("pg_locks", _LOCKS, side):
            self._activity.peak({"locks_waiting_most": float(rows[0][0])})

    def _ask(
        self, name: str, sql: str, side: SideConnection, parameters: Sequence[Any] | None = None
    ) -> list[Any]:
        """Rows of a source; none of one that was refused once."""
        if name in self.absent:
            return []
        try:
            return side.rows(sql, parameters)
        except psycopg.Error as error:
            if side.broken:
                raise
            self.absent[name] = scrub(" ".join(str(error).split()))
            return []


def _numbers(figures: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    """Those that are there, as numbers."""
    return {name: float(figures[name]) for name in names if figures.get(name) is not None}
