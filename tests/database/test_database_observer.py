"""A whole observation of a real server, and of one that hides, loses or stalls what is looked at."""

import os
import signal
import threading
from contextlib import contextmanager

import psutil
import psycopg
import pytest
from observing import observed, observer_of, plan_of, settings_of, workload_of
from running import frozen, postmaster_of
from waiting import until

from nightbench.database.observing import observer as observer_module


def observers(server):
    """The processes of the server that observers have."""
    sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'nightbench observer'"
    return [pid for (pid,) in server.execute(sql)]


def the_observer(server):
    """The process that the one observer has, when those of the tests before have ended."""
    return until(lambda: len(found := observers(server)) == 1 and found)[0]


def terminate(server, pid):
    server.execute("SELECT pg_terminate_backend(%s)", (pid,))


def load(server, plan, transactions, seen_by=None):
    """A small load by one connection; at the end it is gone, and what it did is in the server's statistics.

    Before that it is seen, however short it is and however seldom somebody looks.
    """
    workload, settings = workload_of(plan), settings_of(plan)
    with psycopg.connect(server.dsn, application_name="nightbench") as connection:
        for index in range(transactions):
            tenant, statement = workload.tenant(index), workload.statement(index)
            settings.apply(connection, tenant)
            if statement.kind == "read":
                connection.execute(statement.sql, workload.parameters(index, tenant=tenant))
            connection.commit()
        if seen_by is not None:
            until(lambda: seen_by._watch.observation().gauges.get("load_connections_most"))
    until(lambda: not server.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'nightbench'"))


@contextmanager
def locked_out(server, dsn):
    """A connection of the load that waits for a lock, for the length of the block."""
    with (
        psycopg.connect(server.admin_dsn) as holder,
        psycopg.connect(dsn, application_name="nightbench", autocommit=True) as waiting,
    ):
        holder.execute("SELECT pg_advisory_lock(7)")
        thread = threading.Thread(target=waiting.execute, args=("SELECT pg_advisory_lock(7)",))
        thread.start()
        until(lambda: server.execute("SELECT 1 FROM pg_locks WHERE NOT granted"))
        try:
            yield
        finally:
            holder.execute("SELECT pg_advisory_unlock(7)")
            thread.join(10)


def test_a_whole_observation(postgres):
    plan = plan_of()
    seen = observed(postgres.dsn, plan, lambda watching: load(postgres, plan, 300, watching))
    assert all("fewer than 20 pairs" in sentence for sentence in seen.absent)
    assert 300 <= seen.counters["xact_commit"] < 1000
    assert seen.counters["blks_hit"] > 0
    assert seen.counters["wal_bytes"] >= 0
    assert seen.counters["idx_scan"] > 100
    assert seen.gauges["max_connections"] == 200
    assert seen.gauges["n_live_tup"] > 1000
    assert 1 <= seen.gauges["connections_most"] < 50
    assert seen.looks >= 2
    listing = next(each for each in seen.statements if "ORDER BY spent_on" in each.query)
    assert 0 < listing.calls < 300
    assert listing.rows >= listing.calls
    assert not any("nightbench observer" in each.query for each in seen.statements)
    assert seen.server.cpu_seconds > 0
    assert 5 < seen.server.memory_mib < 5000
    assert seen.probes.made >= 5
    assert seen.probes.leaked_rows == 0
    assert 0 < seen.busy_seconds < seen.seconds + 1


def test_nothing_counts_before_the_begin(postgres):
    plan = plan_of()
    watching = observer_of(postgres.dsn, plan)
    watching.start()
    load(postgres, plan, 200)
    watching.begin()
    seen = watching.stop()
    assert seen.counters["xact_commit"] < 100
    assert not any("ORDER BY category" in each.query for each in seen.statements)
    assert seen.looks >= 1


def test_a_run_that_never_began_has_nothing_to_tell(postgres):
    watching = observer_of(postgres.dsn, plan_of())
    watching.start()
    seen = watching.stop()
    assert (seen.seconds, seen.looks, dict(seen.counters), seen.probes.made, seen.absent) == (0, 0, {}, 0, ())


def test_a_connection_that_waits_for_a_lock_is_seen(postgres):
    watching = observer_of(postgres.dsn, plan_of())
    with locked_out(postgres, postgres.dsn):
        watching.start()
        watching.begin()
        until(lambda: watching._watch.observation().waits.get("Lock:advisory"))
        seen = watching.stop()
    assert seen.gauges["blocked_most"] == 1
    assert seen.gauges["locks_waiting_most"] == 1
    assert seen.gauges["active_most"] == 1


def test_without_an_interval_there_are_probes_and_no_statistics(postgres):
    seen = observed(postgres.dsn, plan_of(observation_interval=0))
    assert seen.probes.made == 5
    assert not seen.counters
    assert not seen.statements
    assert seen.server is None
    assert seen.policy is None
    assert seen.absent == ()


def test_a_server_without_pg_stat_statements_is_told_and_the_rest_is_seen(postgres):
    plan = plan_of()
    with postgres.changed("DROP EXTENSION pg_stat_statements", "CREATE EXTENSION pg_stat_statements"):
        seen = observed(postgres.dsn, plan, lambda watching: load(postgres, plan, 50, watching))
    assert any("pg_stat_statements: this database does not have it; CREATE" in each for each in seen.absent)
    assert seen.statements == ()
    assert seen.counters["xact_commit"] >= 50


def test_a_role_that_may_not_see_the_statistics_of_others_says_which_right_is_missing(postgres):
    plan = plan_of()
    with postgres.changed(
        "REVOKE pg_read_all_stats FROM authenticator",
        "GRANT pg_read_all_stats TO authenticator WITH INHERIT TRUE, SET FALSE",
    ):
        seen = observed(postgres.dsn, plan, lambda watching: load(postgres, plan, 50, watching))
    assert any("grant pg_read_all_stats" in each for each in seen.absent)
    assert seen.gauges["connections_most"] >= 1
    assert seen.counters["xact_commit"] >= 50


def test_it_connects_again_and_goes_on(postgres):
    watching = observer_of(postgres.dsn, plan_of())
    watching.start()
    watching.begin()
    first = the_observer(postgres)
    terminate(postgres, first)
    until(lambda: any(pid != first for pid in observers(postgres)))
    seen = watching.stop()
    assert seen.probes.made >= 5
    assert seen.server is not None
    # why, depends on what it was doing: an idle connection reads it, one that writes may find it closed
    assert any("the observer was without the server once: " in each for each in seen.absent)


@contextmanager
def watched(server):
    """An observer of it that has had its first look."""
    watching = observer_of(server.dsn, plan_of())
    watching.start()
    watching.begin()
    until(lambda: watching._watch.observation().looks)
    yield watching


def test_a_server_that_is_gone_ends_the_observation_and_not_the_run(own_postgres):
    postmaster = psutil.Process(postmaster_of(own_postgres))
    with watched(own_postgres) as watching:
        os.kill(postmaster.pid, signal.SIGQUIT)
        psutil.wait_procs([postmaster], timeout=10)
        seen = watching.stop()
    assert seen.looks >= 1
    assert any("was without the server" in each for each in seen.absent)
    assert any("the last look at the server is missing" in each for each in seen.absent)


def test_a_server_that_stalls_is_not_waited_for(postgres, monkeypatch):
    monkeypatch.setattr(observer_module, "STOP_SECONDS", 0.2)
    with watched(postgres) as watching, frozen(postgres) as freeze:
        freeze()
        seen = watching.stop()
        assert not watching._thread.is_alive()
    assert seen.looks >= 1
    assert any("the last look at the server is missing" in each for each in seen.absent)


def test_one_that_is_given_up_while_it_connects_again_watches_nothing_any_more(postgres, monkeypatch):
    connecting, connected = threading.Event(), threading.Event()
    with watched(postgres) as watching:
        open_side_connection = observer_module.open_side_connection

        def open_late(*given):
            connecting.set()
            connected.wait(10)
            return open_side_connection(*given)

        monkeypatch.setattr(observer_module, "open_side_connection", open_late)
        monkeypatch.setattr(observer_module, "STOP_SECONDS", 0.05)
        monkeypatch.setattr(observer_module, "BREAK_SECONDS", 0.05)
        terminate(postgres, the_observer(postgres))
        assert connecting.wait(10)
        seen = watching.stop()
        connected.set()
        watching._thread.join(10)
    assert seen.looks >= 1
    assert any("the last look at the server is missing" in each for each in seen.absent)
    assert watching._watch.observation().looks == seen.looks
    assert not watching._thread.is_alive()


def test_what_one_thread_writes_no_other_reads(postgres):
    watching = observer_of(postgres.dsn, plan_of())
    observation, readers = watching._watch.observation, []

    def read():
        readers.append(threading.current_thread())
        return observation()

    watching._watch.observation = read
    watching.start()
    watching.begin()
    assert watching.stop().looks >= 1
    assert set(readers) == {watching._thread}


@pytest.mark.parametrize(
    ("dsn", "why"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/db", "refused"),
        ("postgresql://me:hunter2@[::1/db", "not a DSN"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_the_password(dsn, why):
    seen = observed(dsn, plan_of())
    assert any(why in each for each in seen.absent)
    assert "hunter2" not in str(seen)
    assert seen.looks == 0


def test_an_error_of_its_own_ends_the_observer_and_not_the_run(postgres, monkeypatch):
    watching = observer_of(postgres.dsn, plan_of())

    def fail(_side):
        raise KeyError("postgresql://me:hunter2@host/db")

    monkeypatch.setattr(watching._watch, "begin", fail)
    watching.start()
    watching.begin()
    seen = watching.stop()
    assert any("the observer failed" in each for each in seen.absent)
    assert "hunter2" not in str(seen)
