"""What goes wrong beside the load: stalls, dead threads, a generator that freezes, rows that stay."""

import os
import re
import signal
import threading
import time
from contextlib import contextmanager

import psutil
import psycopg
import pytest
from test_database_generator import load, metric

from nightbench.database import generator, own_rows
from nightbench.database.checks import check_reachable
from nightbench.database.connection import bounded, connection_parameters, error_class, means_gone
from nightbench.database.metrics import database_metrics, database_validity
from nightbench.database.session import Sessions
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.scrub import stored_address


def once(action):
    """As on_progress: `action` at the first report."""
    left = [action]
    return lambda _progress: left.pop()() if left else None


def workers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]


@contextmanager
def frozen(server):
    """A function that stops every process of `server`; they go on at the end of the block."""
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    stopped = []

    def freeze():
        stopped.extend([postmaster, *(child.pid for child in psutil.Process(postmaster).children())])
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)

    try:
        yield freeze
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
def test_an_interrupted_run_ends_although_the_database_stalls(own_postgres, monkeypatch):
    monkeypatch.setattr(generator, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(own_rows, "RECONNECT_SECONDS", 2)
    stop = threading.Event()
    with frozen(own_postgres) as freeze:
        # the stop comes when the workers are sure to wait for the frozen database
        freeze_and_stop = once(lambda: (freeze(), threading.Timer(0.3, stop.set).start()))
        result = load(own_postgres.dsn, queries=20_000, on_progress=freeze_and_stop, stop=stop)
        while left := workers():
            left[0].join(20)  # broken off: they end without the database
            assert not left[0].is_alive()
    validity = database_validity(result)
    assert not validity.complete
    assert re.search(r"interrupted; \d workers? (is|are) stuck in the database", validity.reasons[0])
    assert "could not be removed" in validity.reasons[-1]
    query = result.counted["query"]
    assert query.ok > 0
    assert query.in_flight > 0
    assert metric(result, "query.response_time.p50") is not None


@pytest.mark.slow
def test_a_stall_ends_the_run_also_when_nobody_does(own_postgres, monkeypatch):
    monkeypatch.setattr(generator, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(generator, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(own_rows, "RECONNECT_SECONDS", 2)
    with frozen(own_postgres) as freeze:
        result = load(
            own_postgres.dsn,
            model="closed",
            rate=None,
            queries=1_000_000,
            pool_timeout=0.5,
            statement_timeout=0.5,
            on_progress=once(freeze),
        )
    assert "the subject stalled: it answered nothing for 2 s" in database_validity(result).reasons[0]
    assert result.counted["query"].ok > 0
    for thread in workers():
        thread.join(20)


def test_a_generator_that_freezes_makes_the_run_invalid(postgres):
    result = load(postgres.dsn, queries=400, on_progress=once(lambda: time.sleep(1)))
    validity = database_validity(result)
    assert validity.complete
    assert any("clock ticks were late" in reason for reason in validity.reasons)
    assert result.health.tick_lag.n >= 20  # each that was left out


def test_what_a_transaction_did_not_reach_has_no_time(postgres):
    with postgres.changed(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION slow()",
        "DROP TRIGGER slow ON expenses; DROP FUNCTION slow()",
    ):
        result = load(
            postgres.dsn,
            queries=50,
            rate=100,
            statement_timeout=0.3,
            pool_timeout=0.1,
            pool_size=1,
            max_overflow=0,
            warmup=0,
        )
    query = result.counted["query"]
    waited_for_the_pool = query.errors["pool_timeout"]
    timed_out = query.errors["sqlstate_57014"]
    assert waited_for_the_pool > 0
    assert timed_out > 0
    totals = {name: total for times in result.times for name, total in times.totals.items()}
    assert totals["query.response_time"].n == totals["pool.wait"].n == query.ok + query.timed_out
    assert totals["pool.wait"].max_ms >= 100
    assert totals["query.begin_time"].n == totals["query.execute_time"].n == query.ok + timed_out
    assert totals["query.execute_time"].max_ms >= 300  # a time-out counts with the time that it waited
    assert totals["query.commit_time"].n == query.ok
    update = result.counted["query[expense_update]"]
    assert totals["query[expense_update].execute_time"].n == update.errors["sqlstate_57014"]


def test_a_second_attempt_does_not_keep_the_instants_of_the_first(postgres):
    with postgres.changed(
        "CREATE SEQUENCE tries;"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
        "  IF nextval('tries') % 2 = 0 THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END $$;"
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "  $$ BEGIN RAISE EXCEPTION 'at commit' USING ERRCODE = '40001'; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION slow();"
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON expenses DEFERRABLE INITIALLY DEFERRED "
        "  FOR EACH ROW EXECUTE FUNCTION refuse()",
        "DROP TRIGGER slow ON expenses; DROP TRIGGER refuse ON expenses;"
        "DROP FUNCTION slow(); DROP FUNCTION refuse(); DROP SEQUENCE tries",
    ):
        result = load(postgres.dsn, queries=50, workers=1, statement_timeout=0.2, warmup=0)
    update = result.counted["query[expense_update]"]
    assert update.errors == {"sqlstate_57014": update.scheduled}
    assert metric(result, "query.retries") == update.scheduled > 0
    totals = {name: total for times in result.times for name, total in times.totals.items()}
    assert totals["query.commit_time"].n == result.counted["query"].ok


def test_when_watching_fails_no_worker_writes_beside_the_clean_up(postgres):
    before = postgres.state()

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load(postgres.dsn, queries=20_000, on_progress=once(fail))
    assert workers() == []
    assert postgres.state() == before


def test_too_many_threads_are_told_with_the_way_out(postgres, monkeypatch):
    before = postgres.state()
    start = threading.Thread.start

    def limited(thread):
        if thread.name == "worker-3":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(ConfigurationError, match="no more than 3 threads"):
        load(postgres.dsn)
    assert workers() == []
    assert postgres.state() == before


def test_whatever_a_transaction_raises_is_its_outcome(postgres, monkeypatch):
    check_out = Sessions._check_out

    def broken(sessions):
        if threading.current_thread().name == "worker-1":
            raise MemoryError
        return check_out(sessions)

    monkeypatch.setattr(Sessions, "_check_out", broken)
    result = load(postgres.dsn)
    assert result.counted["query"].errors["memoryerror"] > 0
    assert result.counted["query"].in_flight == 0


@pytest.mark.parametrize("model", ["open", "closed"])
def test_a_worker_that_dies_ends_the_run_as_incomplete(postgres, monkeypatch, model):
    draw = generator.Workload.draw

    def broken(workload, index):
        if index == 60:
            raise KeyError("an error of our own")
        return draw(workload, index)

    monkeypatch.setattr(generator.Workload, "draw", broken)
    result = load(postgres.dsn, queries=20_000, model=model, rate=200 if model == "open" else None)
    validity = database_validity(result)
    assert not validity.complete
    assert "a worker failed: KeyError: 'an error of our own'" in validity.reasons[0]


def test_rows_are_removed_although_the_housekeeping_connection_was_lost(postgres):
    before = postgres.state()

    def terminate():
        ended = postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'nightbench housekeeping'"
        )
        assert ended == [(True,)]

    result = load(postgres.dsn, queries=300, on_progress=once(terminate))
    assert database_validity(result).complete
    assert result.removed_rows is not None
    assert postgres.state() == before


@pytest.mark.parametrize("model", ["open", "closed"])
def test_an_early_end_does_not_take_every_remaining_turn(postgres, model):
    stop = threading.Event()
    result = load(
        postgres.dsn,
        queries=100_000_000,
        model=model,
        rate=200 if model == "open" else None,
        warmup=60,
        on_progress=lambda _: stop.set(),
        stop=stop,
    )
    assert "interrupted" in database_validity(result).reasons[0]
    assert result.counted["query"].scheduled == 0
    assert result.uncounted["query"].ok > 0


def test_the_most_connections_in_use_are_counted(postgres):
    result = load(
        postgres.dsn, model="closed", rate=None, workers=6, pool_size=2, max_overflow=2, queries=600, warmup=0
    )
    assert metric(result, "pool.checked_out.max") == 4
    assert metric(result, "pool.overflow.max") == 2


def test_a_full_server_refuses_with_the_way_out(own_postgres):
    own_postgres.execute("ALTER ROLE authenticator CONNECTION LIMIT 3")
    with pytest.raises(ConfigurationError, match="lower --pool-size and --max-overflow"):
        load(own_postgres.dsn, workers=8)


def test_a_server_that_is_full_is_not_gone(own_postgres):
    own_postgres.execute("ALTER ROLE authenticator CONNECTION LIMIT 3")
    result = load(
        own_postgres.dsn, workers=6, pool_size=1, max_overflow=5, model="closed", rate=None, queries=300
    )
    assert result.counted["query"].errors["connect_too_many"] > 0
    assert result.given_up is None


@pytest.mark.parametrize(
    ("error", "connected", "name", "gone"),
    [
        (psycopg.OperationalError("connection refused"), False, "connect_refused", True),
        (psycopg.OperationalError("Connection refused"), True, "connection_lost", True),
        (
            psycopg.OperationalError("FATAL:  sorry, too many clients already"),
            False,
            "connect_too_many",
            False,
        ),
        (psycopg.errors.TooManyConnections("full"), False, "connect_too_many", False),
        (psycopg.errors.ConnectionTimeout("timeout"), False, "connect_timeout", True),
        (psycopg.OperationalError("no route to host"), False, "connect_failed", True),
        (psycopg.errors.AdminShutdown("bye"), True, "sqlstate_57P01", True),
        (psycopg.errors.QueryCanceled("late"), True, "sqlstate_57014", False),
        (KeyError("x"), True, "keyerror", False),
    ],
)
def test_each_failure_has_its_class(error, connected, name, gone):
    assert error_class(error, connected=connected) == name
    assert means_gone(name) is gone


def test_the_options_of_the_dsn_are_kept(postgres):
    result_dsn = postgres.dsn + "?options=-c%20work_mem%3D5MB&keepalives_idle=9"
    parameters = connection_parameters(result_dsn, statement_timeout=2)
    assert parameters["options"] == "-c work_mem=5MB -c statement_timeout=2000"
    assert parameters["keepalives_idle"] == "9"
    sessions = Sessions(result_dsn, DatabasePlan(queries=1, workers=1, statement_timeout=2))
    try:
        connection = sessions._check_out()
        shown = [
            connection.cursor().execute(f"SHOW {name}").fetchone()[0]
            for name in ("work_mem", "statement_timeout")
        ]
        sessions._check_in(connection)
    finally:
        sessions.close()
    assert shown == ["5MB", "2s"]


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:pw@h/db?x=1", "postgresql://u:p@pw@h/db", "mysql://u:pw@h/db"]
)
def test_a_dsn_that_cannot_be_used_is_told_without_its_password(dsn):
    with pytest.raises(ConfigurationError) as caught:
        connection_parameters(dsn, statement_timeout=1)
    assert "pw" not in str(caught.value)


def test_a_password_may_hold_anything_that_is_percent_encoded():
    parameters = connection_parameters("postgresql+psycopg://u:a%20b%40%2B+c@h/db", statement_timeout=1)
    assert parameters["password"] == "a b@++c"


@pytest.mark.parametrize(
    ("dsn", "address"),
    [
        ("postgresql://u:p@h:5/db?sslpassword=x#y", "postgresql://u:***@h:5/db"),
        ("postgresql://u:p#w@h/db", "postgresql://u:***@h/db"),
        ("postgresql://h/db", "postgresql://h/db"),
    ],
)
def test_the_address_is_stored_without_secrets(dsn, address):
    assert stored_address(dsn) == address


def test_a_block_that_takes_too_long_is_broken_off(postgres):
    with (
        psycopg.connect(postgres.admin_dsn, autocommit=True) as connection,
        pytest.raises(psycopg.OperationalError, match="no answer within 0 s"),
        bounded(connection, 0.1),
    ):
        connection.execute("SELECT pg_sleep(60)")
    assert connection.closed


def test_a_database_is_reachable_or_it_is_told(postgres):
    check_reachable(postgres.dsn)
    with pytest.raises(ConfigurationError, match="check that the server runs"):
        check_reachable("postgresql://u:p@127.0.0.1:1/db")


def test_the_wall_clock_is_that_of_the_first_phase(postgres):
    before = time.time()
    result = load(postgres.dsn, queries=20)
    assert before < result.started_at.timestamp() < time.time()
    assert result.started_at.utcoffset().total_seconds() == 0
    assert {item.name for item in database_metrics(result)} > {"query.response_time.growth"}
