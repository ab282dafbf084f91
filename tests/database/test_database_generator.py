"""The promises of the database load generator, against a real PostgreSQL."""

import os
import signal
import threading
import time
from collections import Counter

import pytest
from running import load, metric, once_some_counted, postmaster_of

from nightbench.database import generator
from nightbench.database.housekeeping.own_rows import exclusive_connection
from nightbench.database.metrics import database_validity
from nightbench.errors import ConfigurationError
from nightbench.plan.pam import PAM


def test_the_mix_is_run_whole_and_leaves_nothing_behind(postgres):
    before = postgres.state()
    result = load(postgres.dsn)
    query = result.load.counted["query"]
    assert (query.scheduled, query.ok) == (200, 200)
    by_statement = Counter(
        {name: counts.ok for name, counts in result.load.counted.items() if name != "query"}
    )
    assert by_statement.total() == 200
    reads = sum(by_statement[f"query[{name}]"] for name in ("profile_lookup", "expense_listing"))
    assert reads == 100
    assert postgres.state() == before
    assert result.rows.removed == result.load.counted["query[expense_insert]"].ok + (
        result.load.uncounted["query[expense_insert]"].ok + 4
    )
    assert database_validity(result).complete
    assert metric(result, "query.success_rate") == 100
    assert metric(result, "query.leaked_rows") == 0
    # 200 in the second that was measured, or by the time the last of them ended
    assert 40 < metric(result, "query.throughput") <= 200


def test_writes_agree_with_what_the_server_committed(postgres):
    with postgres.changed(
        "CREATE TABLE journal (op text);"
        "CREATE FUNCTION journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$ BEGIN INSERT INTO journal VALUES (TG_OP); RETURN NULL; END $$;"
        "CREATE TRIGGER journal AFTER INSERT OR UPDATE OR DELETE ON expenses "
        "FOR EACH ROW EXECUTE FUNCTION journal()",
        "DROP TRIGGER journal ON expenses; DROP FUNCTION journal(); DROP TABLE journal",
    ):
        mix = PAM.model_dump(exclude_unset=True)
        mix["own_rows"]["also_written"] = ["journal"]
        result = load(postgres.dsn, workload=mix)
        committed = dict(postgres.execute("SELECT op, count(*) FROM journal GROUP BY op"))
    accounts = [result.load.counted, result.load.uncounted]
    assert result.rows.removed == sum(a["query[expense_insert]"].ok for a in accounts) + 4
    assert committed == {
        "INSERT": result.rows.removed,
        "UPDATE": sum(a["query[expense_update]"].ok for a in accounts),
        "DELETE": result.rows.removed,
    }


def test_the_parts_of_an_operation_add_up(postgres):
    result = load(postgres.dsn)
    parts = ("pool.wait", "query.begin_time", "query.execute_time", "query.commit_time")
    total = sum(metric(result, f"{part}.mean") for part in parts)
    assert total == pytest.approx(metric(result, "query.service_time.mean"), rel=0.01)
    waited = metric(result, "query.worker_wait.mean") + metric(result, "query.send_lag.mean")
    assert metric(result, "query.response_time.mean") == pytest.approx(
        metric(result, "query.service_time.mean") + waited, rel=0.01
    )


def test_the_closed_model_runs_its_queries_as_fast_as_its_workers_can(postgres):
    result = load(postgres.dsn, model="closed", queries=300, workers=4)
    assert result.load.counted["query"].ok == 300
    assert database_validity(result).complete
    busy = metric(result, "query.throughput") * metric(result, "query.service_time.mean") / 1000
    assert busy > 2  # workers of the four, on average: a slow machine is as busy as a quick one


def test_when_every_worker_is_busy_waiting_counts_as_response_time(postgres):
    slow = "ALTER FUNCTION auth.uid() RENAME TO uid_fast"
    slower = """CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE plpgsql STABLE AS
        $$ BEGIN PERFORM pg_sleep(0.02); RETURN auth.uid_fast(); END $$"""
    postgres.execute(slow)
    postgres.execute(slower)
    for table, column in (("profiles", "id"), ("expenses", "user_id")):
        postgres.execute(
            f"ALTER POLICY own_{'profile' if table == 'profiles' else 'expenses'} ON {table} "
            f"USING ({column} = (SELECT auth.uid())) WITH CHECK ({column} = (SELECT auth.uid()))"
        )
    try:
        result = load(postgres.dsn, queries=100, workers=1, rate=100, tenants=2, warmup=0)
    finally:
        for table, column in (("profiles", "id"), ("expenses", "user_id")):
            postgres.execute(
                f"ALTER POLICY own_{'profile' if table == 'profiles' else 'expenses'} ON {table} "
                f"USING ({column} = (SELECT auth.uid_fast())) WITH CHECK ({column} = (SELECT auth.uid_fast()))"
            )
        postgres.execute("DROP FUNCTION auth.uid()")
        postgres.execute("ALTER FUNCTION auth.uid_fast() RENAME TO uid")
    assert metric(result, "query.worker_wait.max") > 100
    assert metric(result, "query.response_time.max") > metric(result, "query.service_time.max") + 100
    assert metric(result, "query.send_lag.p50") < 50


def test_one_leaked_row_is_found(postgres):
    with (
        postgres.changed(
            "CREATE POLICY wide_open ON messages FOR SELECT TO authenticated USING (true)",
            "DROP POLICY wide_open ON messages",
        ),
        postgres.changed(
            "CREATE POLICY wide_open ON conversations FOR SELECT TO authenticated USING (true)",
            "DROP POLICY wide_open ON conversations",
        ),
        postgres.changed(
            "CREATE POLICY wide_open ON profiles FOR SELECT TO authenticated USING (true)",
            "DROP POLICY wide_open ON profiles",
        ),
    ):
        result = load(postgres.dsn, queries=100)
    assert metric(result, "query.leaked_rows") > 0
    assert (
        result.load.counted["query"].errors["tenant_leak"]
        == result.load.counted["query[conversation_history]"].failed
    )


def test_two_runs_never_load_one_database_at_once(postgres):
    with (
        exclusive_connection(postgres.dsn),
        pytest.raises(ConfigurationError, match="another nightbench run is at work"),
    ):
        load(postgres.dsn)


def test_an_interrupted_run_keeps_what_it_measured_and_cleans_up(postgres, monkeypatch):
    before = postgres.state()
    stop = threading.Event()
    stopping = once_some_counted(monkeypatch, stop.set)
    result = load(postgres.dsn, queries=20_000, on_progress=stopping, stop=stop)
    validity = database_validity(result)
    assert not validity.complete
    assert "interrupted" in validity.reasons[0]
    assert 0 < result.load.counted["query"].ok < 2000
    assert postgres.state() == before


def test_a_server_that_dies_ends_the_run_as_incomplete(own_postgres, monkeypatch):
    killing = once_some_counted(monkeypatch, lambda: os.kill(postmaster_of(own_postgres), signal.SIGQUIT))
    result = load(own_postgres.dsn, queries=20_000, on_progress=killing)
    validity = database_validity(result)
    assert not validity.complete
    assert "the subject was lost" in validity.reasons[0]
    assert result.load.counted["query"].ok > 0
    assert result.rows.removed is None
    assert "nightbench:test-run:50 could not be removed" in validity.reasons[-1]
    errors = set(result.load.counted["query"].errors)
    assert errors <= {
        "connection_lost",
        "connect_refused",
        "connect_failed",
        "sqlstate_57P02",
        "sqlstate_57P03",
        "not_started",
    }


def test_the_wall_clock_is_that_of_the_first_phase(postgres):
    before = time.time()
    result = load(postgres.dsn, queries=20)
    assert before < result.load.started_at.timestamp() < time.time()
    assert result.load.started_at.utcoffset().total_seconds() == 0


def test_a_measure_phase_that_is_over_within_a_tick_is_told_and_watched(postgres, monkeypatch):
    monkeypatch.setattr(generator, "BEAT_SECONDS", 0.3)
    seen = []
    result = load(postgres.dsn, queries=1, workers=1, rate=1000, warmup=0, on_progress=seen.append)
    assert "measure" in [report.phase for report in seen]
    assert result.observation.looks >= 1
