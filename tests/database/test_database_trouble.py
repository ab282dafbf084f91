"""What goes wrong beside the load: stalls, dead threads, a generator that freezes, rows that stay."""

import re
import threading
import time

import pytest
from running import OF_THE_LOAD, frozen, load, metric, once, once_some_counted
from waiting import PATIENCE, until

from nightbench.database import generator, steward
from nightbench.database.housekeeping import own_rows
from nightbench.database.metrics import database_validity
from nightbench.database.observing import observer
from nightbench.database.session import Sessions
from nightbench.errors import ConfigurationError


def workers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]


@pytest.mark.slow
def test_an_interrupted_run_ends_although_the_database_stalls(own_postgres, monkeypatch):
    monkeypatch.setattr(steward, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(own_rows, "RECONNECT_SECONDS", 2)
    monkeypatch.setattr(observer, "STOP_SECONDS", 0.5)
    held, freezing, is_frozen, stop = [], threading.Event(), threading.Event(), threading.Event()
    transact = Sessions.transact

    def ask(sessions, *asked):
        if freezing.is_set():
            held.append(asked)
            is_frozen.wait(PATIENCE)
            stop.set()  # by one that is sure to wait for the frozen database
        return transact(sessions, *asked)

    monkeypatch.setattr(Sessions, "transact", ask)
    with frozen(own_postgres) as freeze:

        def freeze_with_one_outside():
            freezing.set()
            until(lambda: held)
            freeze()
            is_frozen.set()

        freezing_it = once_some_counted(monkeypatch, freeze_with_one_outside)
        # so slow that few come due in the meantime: of many that nobody began there would be no median
        result = load(own_postgres.dsn, queries=20_000, rate=20, on_progress=freezing_it, stop=stop)
        while left := workers():
            left[0].join(20)  # broken off: they end without the database
            assert not left[0].is_alive()
    validity = database_validity(result)
    assert not validity.complete
    assert re.search(r"interrupted; \d workers? (is|are) stuck in the database", validity.reasons[0])
    assert "could not be removed" in validity.reasons[-1]
    query = result.load.counted["query"]
    assert query.ok > 0
    assert query.in_flight > 0
    assert metric(result, "query.response_time.p50") is not None


@pytest.mark.slow
def test_a_stall_ends_the_run_also_when_nobody_does(own_postgres, monkeypatch):
    monkeypatch.setattr(generator, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(steward, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(own_rows, "RECONNECT_SECONDS", 2)
    monkeypatch.setattr(observer, "STOP_SECONDS", 0.5)
    with frozen(own_postgres) as freeze:
        result = load(
            own_postgres.dsn,
            model="closed",
            rate=None,
            queries=1_000_000,
            pool_timeout=0.5,
            statement_timeout=0.5,
            on_progress=once_some_counted(monkeypatch, freeze),
        )
    assert "the subject stalled: it answered nothing for 2 s" in database_validity(result).reasons[0]
    assert result.load.counted["query"].ok > 0
    for thread in workers():
        thread.join(20)


def test_a_generator_that_freezes_makes_the_run_invalid(postgres):
    result = load(postgres.dsn, queries=400, on_progress=once(lambda: time.sleep(1)))
    validity = database_validity(result)
    assert validity.complete
    assert any("clock ticks were late" in reason for reason in validity.reasons)
    assert result.load.health.tick_lag.n >= 20  # each that was left out


def test_what_a_transaction_did_not_reach_has_no_time(postgres):
    with postgres.changed(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {OF_THE_LOAD} THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END $$;"
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
    query = result.load.counted["query"]
    waited_for_the_pool = query.errors["pool_timeout"]
    timed_out = query.errors["sqlstate_57014"]
    assert waited_for_the_pool > 0
    assert timed_out > 0
    totals = {name: total for times in result.load.times for name, total in times.totals.items()}
    assert totals["query.response_time"].n == totals["pool.wait"].n == query.ok + query.timed_out
    assert totals["pool.wait"].max_ms >= 100
    assert totals["query.begin_time"].n == totals["query.execute_time"].n == query.ok + timed_out
    assert totals["query.execute_time"].max_ms >= 300  # a time-out counts with the time that it waited
    assert totals["query.commit_time"].n == query.ok
    update = result.load.counted["query[expense_update]"]
    assert totals["query[expense_update].execute_time"].n == update.errors["sqlstate_57014"]


def test_a_second_attempt_does_not_keep_the_instants_of_the_first(postgres):
    with postgres.changed(
        "CREATE SEQUENCE tries;"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
        f"  IF {OF_THE_LOAD} AND nextval('tries') % 2 = 0 THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END $$;"
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"  $$ BEGIN IF {OF_THE_LOAD} THEN RAISE EXCEPTION 'at commit' USING ERRCODE = '40001'; END IF; "
        "  RETURN NULL; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION slow();"
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON expenses DEFERRABLE INITIALLY DEFERRED "
        "  FOR EACH ROW EXECUTE FUNCTION refuse()",
        "DROP TRIGGER slow ON expenses; DROP TRIGGER refuse ON expenses;"
        "DROP FUNCTION slow(); DROP FUNCTION refuse(); DROP SEQUENCE tries",
    ):
        result = load(postgres.dsn, queries=50, workers=1, statement_timeout=0.2, warmup=0)
    update = result.load.counted["query[expense_update]"]
    assert update.errors == {"sqlstate_57014": update.scheduled}
    assert metric(result, "query.retries") == update.scheduled > 0
    totals = {name: total for times in result.load.times for name, total in times.totals.items()}
    assert totals["query.commit_time"].n == result.load.counted["query"].ok


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
    assert result.load.counted["query"].errors["memoryerror"] > 0
    assert result.load.counted["query"].in_flight == 0


@pytest.mark.parametrize("model", ["open", "closed"])
def test_a_worker_that_dies_ends_the_run_as_incomplete(postgres, monkeypatch, model):
    parameters = generator.Workload.parameters

    def broken(workload, index, **drawn):
        if index == 60:
            raise KeyError("an error of our own")
        return parameters(workload, index, **drawn)

    monkeypatch.setattr(generator.Workload, "parameters", broken)
    result = load(postgres.dsn, queries=20_000, model=model, rate=200 if model == "open" else None)
    validity = database_validity(result)
    assert not validity.complete
    assert "a worker failed: KeyError: 'an error of our own'" in validity.reasons[0]


def test_rows_are_removed_although_the_housekeeping_connection_was_lost(postgres):
    before = postgres.state()
    ours = "FROM pg_stat_activity WHERE application_name = 'nightbench housekeeping'"

    def terminate():
        postgres.wait_until(f"SELECT count(*) = 1 {ours}")  # that of a run before may not have ended yet
        assert postgres.execute(f"SELECT pg_terminate_backend(pid) {ours}") == [(True,)]

    result = load(postgres.dsn, queries=300, on_progress=once(terminate))
    assert database_validity(result).complete
    assert result.rows.removed is not None
    assert postgres.state() == before


@pytest.mark.parametrize("model", ["open", "closed"])
def test_an_early_end_does_not_take_every_remaining_turn(postgres, model):
    stop = threading.Event()
    result = load(
        postgres.dsn,
        queries=100_000_000,
        model=model,
        warmup=60,
        on_progress=lambda _: stop.set(),
        stop=stop,
    )
    assert "interrupted" in database_validity(result).reasons[0]
    assert result.load.counted["query"].scheduled == 0
    assert result.load.uncounted["query"].ok > 0
