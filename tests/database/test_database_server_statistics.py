"""Counters, activity and statements as the server tells them, without a server."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors

from nightbench.database.observing.activity import Activity
from nightbench.database.observing.server_statistics import Counters, ServerStatistics
from nightbench.database.observing.statement_statistics import (
    HIDDEN,
    MOST,
    grown_most,
    statistics_of,
    summed,
)


def test_counters_tell_what_was_added_since_the_first_look():
    counters = Counters()
    for value in (100, 103, 110):
        counters.see({"xact_commit": value})
    assert counters.totals == {"xact_commit": 10}
    assert counters.resets == 0


def test_counters_that_fall_began_at_zero_again():
    counters = Counters()
    for value in (100, 110, 4, 6):
        counters.see({"xact_commit": value})
    assert counters.totals == {"xact_commit": 16}
    assert counters.resets == 1


def test_a_counter_that_is_seen_late_counts_from_there():
    counters = Counters()
    counters.see({})
    counters.see({"wal_bytes": 500})
    assert counters.totals == {"wal_bytes": 0}


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_no_total_is_negative_whatever_the_server_says(values):
    counters = Counters()
    for value in values:
        counters.see({"blks_hit": value})
    assert counters.totals["blks_hit"] >= 0


LOAD = (True, True)


@pytest.mark.parametrize(
    ("row", "wait"),
    [
        ((*LOAD, "active", None, None, 2), "CPU"),
        ((*LOAD, "active", "Lock", "transactionid", 2), "Lock:transactionid"),
        ((*LOAD, "active", "IO", "DataFileRead", 2), "IO:DataFileRead"),
        ((*LOAD, "idle", "Client", "ClientRead", 2), "idle"),
        ((*LOAD, "idle in transaction", "Client", "ClientRead", 2), "idle in transaction"),
        ((*LOAD, "idle in transaction (aborted)", "Client", "ClientRead", 2), "idle in transaction"),
    ],
)
def test_what_a_connection_of_the_load_does(row, wait):
    activity = Activity()
    activity.see([row])
    assert activity.waits == {wait: 2}


def test_only_the_loads_connections_wait_and_the_most_of_all_glances_counts():
    activity = Activity()
    activity.see([(*LOAD, "active", "Lock", "tuple", 3), (False, True, "active", None, None, 5)])
    activity.see([(*LOAD, "idle", "Client", "ClientRead", 9), (False, False, "active", None, None, 50)])
    activity.see([(True, False, "active", "Lock", "relation", 40)])  # of a run in another database
    assert activity.waits == {"Lock:tuple": 3, "idle": 9}
    assert activity.glances == 3
    assert activity.most == {
        "connections_most": 59,
        "load_connections_most": 9,
        "active_most": 3,
        "idle_in_transaction_most": 0,
        "blocked_most": 3,
        "others_active_most": 5,
    }


@pytest.mark.parametrize("state", [None, "disabled"])
def test_a_connection_that_hides_what_it_does_is_no_idle_one(state):
    activity = Activity()
    activity.see([(*LOAD, state, None, None, 4)])
    assert activity.hidden == 4
    assert not activity.waits
    assert activity.most["load_connections_most"] == 4


def counts(calls, total_ms):
    return (calls, total_ms, 1.0, 2.0, 3.0, 4.0, 5.0)


def test_the_same_statement_inside_and_outside_of_functions_is_one():
    assert summed([(1, 7, *counts(2, 10)), (1, 7, *counts(3, 5)), (2, 7, *counts(1, 1))]) == {
        (1, 7): (5, 15, 2, 4, 6, 8, 10),
        (2, 7): counts(1, 1),
    }


def test_statements_count_from_the_begin_and_the_most_expensive_comes_first():
    before = {(1, 1): counts(10, 100), (1, 2): counts(5, 5), (1, 3): counts(4, 4), (1, 4): counts(9, 90)}
    after = {
        (1, 1): (12, 103, 1, 2, 3, 4, 5),  # went on
        (1, 2): counts(5, 5),  # did not run
        (1, 4): counts(2, 20),  # forgotten, and begun anew
        (1, 5): counts(1, 50),  # new
    }
    grown = grown_most(before, after)
    assert list(grown) == [(1, 5), (1, 4), (1, 1)]
    assert grown[1, 1] == (2, 3, 0, 0, 0, 0, 0)


def test_statements_that_may_not_be_seen_and_the_observers_own_are_left_out():
    grown = {(1, key): counts(1, 100 - key) for key in range(4)}
    texts = {
        0: "SELECT /* nightbench observer */ 1",
        1: "SELECT  1\n FROM profiles",
        2: 'DECLARE "nightbench_observer" CURSOR FOR SELECT 2',
    }
    assert [(each.query, each.total_ms) for each in statistics_of(grown, texts)] == [
        ("SELECT 1 FROM profiles", 99)
    ]
    assert HIDDEN not in texts.values()


def test_statements_hold_no_password_and_are_not_too_many():
    grown = {(1, key): counts(1, 100) for key in range(2 * MOST)}
    texts = {
        key: f"SELECT dblink_connect('postgresql://me:hunter2@host/db') -- {key}" for key in grown_keys(grown)
    }
    told = statistics_of(grown, texts)
    assert len(told) == MOST
    assert not any("hunter2" in each.query for each in told)


def grown_keys(grown):
    return [query for _user, query in grown]


class Side:
    """A server of some version that gives every row as one JSON object, and refuses one view."""

    broken = False

    def __init__(self, version, refuses="nothing"):
        self.connection = SimpleNamespace(info=SimpleNamespace(server_version=version))
        self.refuses = refuses
        self.asked = []

    def rows(self, sql, _parameters=None):
        self.asked.append(sql)
        if self.refuses in sql:
            raise errors.UndefinedTable("it is not there")
        if "max_connections" in sql:
            return [(100,)]
        if "pg_stat_activity" in sql:
            return []
        if "pg_locks" in sql:
            return [(0,)]
        return [({"checkpoints": len(self.asked), "xact_commit": 10 * len(self.asked), "blks_hit": None},)]


@pytest.mark.parametrize(
    ("version", "view", "other"),
    [
        (140_000, "pg_stat_bgwriter", "pg_stat_checkpointer"),
        (160_004, "pg_stat_bgwriter", "pg_stat_checkpointer"),
        (170_000, "pg_stat_checkpointer", "pg_stat_bgwriter"),
        (180_006, "pg_stat_checkpointer", "pg_stat_bgwriter"),
    ],
)
def test_checkpoints_are_where_the_version_has_them(version, view, other):
    side = Side(version)
    ServerStatistics("nightbench").look(side)
    assert any(view in sql for sql in side.asked)
    assert not any(other in sql for sql in side.asked)


def test_a_view_that_is_refused_is_told_once_and_not_asked_again():
    side, statistics = Side(180_000, refuses="pg_stat_wal"), ServerStatistics("nightbench")
    statistics.look(side)
    statistics.look(side)
    assert statistics.absent == {"pg_stat_wal": "it is not there"}
    assert sum("pg_stat_wal" in sql for sql in side.asked) == 1
    assert statistics.counters["xact_commit"] > 0
    assert statistics.looks == 2


def test_a_column_that_the_server_does_not_have_is_left_out():
    statistics = ServerStatistics("nightbench")
    statistics.look(Side(180_000))
    assert "deadlocks" not in statistics.counters
    assert "blks_hit" not in statistics.counters


def test_a_connection_that_broke_is_for_others_to_mend():
    side = Side(180_000, refuses="pg_stat_wal")
    side.broken = True
    with pytest.raises(errors.UndefinedTable):
        ServerStatistics("nightbench").look(side)


@pytest.mark.parametrize(("refuses", "glances"), [("nothing", 1), ("pg_stat_activity", 0)])
def test_a_glance_at_nobody_is_one_and_one_that_is_refused_is_none(refuses, glances):
    statistics = ServerStatistics("nightbench")
    statistics.glance(Side(180_000, refuses))
    assert statistics.glances == glances
    assert statistics.gauges.get("connections_most") == (0 if glances else None)
