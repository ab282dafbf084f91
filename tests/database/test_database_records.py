"""What was asked is accounted for, whoever writes it down and whenever; what no worker came to does not vanish."""

import math
import threading
from dataclasses import replace

import pytest
from running import load, metric

from nightbench.database.metrics import database_metrics
from nightbench.database.provisions import load_provisions
from nightbench.database.records import Records
from nightbench.database.session import Transaction
from nightbench.database.turns import Turn
from nightbench.database.workload import Statement, Workload, statements_of
from nightbench.load.phases import SECOND
from nightbench.plan import DatabasePlan
from nightbench.plan.pam import PAM

LOOKUP = Statement("profile_lookup", "read", 1, "SELECT 1")
INSERT = Statement("expense_insert", "write", 1, "INSERT")


def ended(last, error=None, **parts):
    done = Transaction(sent=2, acquired=3, began=4, executed=5, committed=last, last=last, error=error)
    return replace(done, attempts=1, **parts)


def run(records, turn, transaction, *, statement=LOOKUP, worker=0):
    records.begin(turn, statement)
    records.end(worker, turn, statement, transaction, ready=1)


def totals(records):
    records.fold(0)
    return {name: total for times in records.times() for name, total in times.totals.items()}


def test_what_was_not_started_has_the_highest_ranks():
    records = Records([LOOKUP], workers=1, operations=100)
    for index in range(94):
        run(records, Turn(index, 1, index), ended(2_000_000))
    for index in range(94, 100):
        records.skip(Turn(index, 1, index), LOOKUP)
    found = totals(records)
    for name in ("query.response_time", "query.worker_wait", "query[profile_lookup].response_time"):
        assert (found[name].n, found[name].beyond) == (94, 6)
        assert found[name].quantile_ms(0.9) is not None
        assert found[name].quantile_ms(0.95) is None
    for name in ("query.service_time", "query.send_lag", "pool.wait", "query[profile_lookup].execute_time"):
        assert found[name].total == 94
    assert records.counted()["query"].skipped == 6
    assert records.course().response_ms()[-1] == math.inf


def test_what_was_not_started_in_the_warm_up_does_not_count():
    records = Records([LOOKUP], workers=1, operations=10)
    records.skip(Turn(0, 1, None), LOOKUP)
    assert totals(records)["query.response_time"].total == 0
    assert records.uncounted()["query"].skipped == 1


def test_a_statement_is_a_part_of_all_queries():
    records = Records([LOOKUP, INSERT], workers=1, operations=10)
    for index in range(10):
        statement = (LOOKUP, INSERT)[index % 2]
        error = "sqlstate_40001" if index == 3 else None
        run(records, Turn(index, 1, index), ended(9, error, rows=index), statement=statement)
    records.fold(0)
    counted = records.counted()
    assert {name: (counts.ok, counts.failed) for name, counts in counted.items()} == {
        "query": (9, 1),
        "query[profile_lookup]": (5, 0),
        "query[expense_insert]": (4, 1),
    }
    assert counted["query"].errors == counted["query[expense_insert]"].errors == {"sqlstate_40001": 1}
    assert records.rows == {
        "query[profile_lookup]": 0 + 2 + 4 + 6 + 8,
        "query[expense_insert]": 1 + 5 + 7 + 9,
    }


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("pool_timeout", "timed_out"),
        ("connect_timeout", "timed_out"),
        ("sqlstate_57014", "timed_out"),  # statement_timeout
        ("sqlstate_55P03", "timed_out"),  # lock_timeout
        ("sqlstate_40P01", "failed"),
        ("wrong_row_count", "failed"),
        ("tenant_leak", "failed"),
    ],
)
def test_a_time_out_counts_with_the_time_that_it_waited_and_another_failure_does_not(error, outcome):
    records = Records([LOOKUP], workers=1, operations=1)
    run(records, Turn(0, 1, 0), ended(2_000_000, error))
    found = totals(records)
    assert getattr(records.counted()["query"], outcome) == 1
    assert found["query.response_time"].n == (outcome == "timed_out")
    assert found["query.failure_time"].n == (outcome == "failed")


def test_attempts_and_leaked_rows_are_counted():
    records = Records([LOOKUP], workers=1, operations=3)
    for index, attempts in enumerate((1, 2, 3)):
        transaction = replace(ended(9), attempts=attempts)
        run(records, Turn(index, 1, index), transaction)
    run(records, Turn(3, 1, None), replace(ended(9, "tenant_leak", leaked=20), attempts=3))
    records.fold(0)
    assert (records.retries, records.retried, records.leaked) == (3, 2, 20)


def test_only_what_ended_well_is_time_in_which_something_was_done():
    records = Records([LOOKUP], workers=2, operations=10)
    for worker, last, error in ((0, 100, None), (1, 900, "sqlstate_57014"), (0, 800, "sqlstate_22012")):
        run(records, Turn(worker, worker, worker), ended(last, error), worker=worker)
    records.fold(0)
    assert (records.last_ok, records.last_due, records.last_heard) == (100, 1, 900)


def test_what_ends_after_the_closing_stays_in_flight():
    records = Records([LOOKUP], workers=1, operations=2)
    run(records, Turn(0, 1, 0), ended(9))
    records.begin(Turn(1, 1, 1), LOOKUP)
    records.close()
    records.end(0, Turn(1, 1, 1), LOOKUP, ended(9), ready=1)
    records.fold(0)
    query = records.counted()["query"]
    assert (query.scheduled, query.ok, query.in_flight) == (2, 1, 1)


def test_the_server_is_missed_from_the_first_to_the_last_failure_without_a_break():
    records = Records([LOOKUP], workers=1, operations=10)
    told = []
    for last, error in (
        (10, "connect_refused"),
        (30, "sqlstate_57P03"),
        (40, None),
        (50, "connection_lost"),
        (60, "sqlstate_23505"),
        (70, "connection_lost"),
        (75, "connection_lost"),
    ):
        run(records, Turn(0, 1, 0), ended(last, error))
        told.append(records.failing_ns)
    assert told == [0, 20, 0, 0, 0, 0, 5]


def test_many_threads_lose_nothing_while_one_counts():
    workers, each = 8, 2000
    records = Records([LOOKUP, INSERT], workers=workers, operations=workers * each)

    def work(worker):
        for place in range(worker, workers * each, workers):
            error = "sqlstate_40001" if place % 10 == 0 else None
            statement = (LOOKUP, INSERT)[place % 3 == 0]
            run(records, Turn(place, 1, place), ended(SECOND, error), statement=statement, worker=worker)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        records.fold(0)
        for name, counts in records.counted().items():
            counts.check(name)
    records.fold(0)
    query = records.counted()["query"]
    assert (query.scheduled, query.in_flight) == (workers * each, 0)
    assert query.errors == {"sqlstate_40001": workers * each // 10}
    assert totals(records)["query.response_time"].n == query.ok


# with a server


def test_a_schedule_that_the_workers_do_not_keep_up_with_has_no_percentiles(postgres):
    plan = {"queries": 20_000, "rate": 100_000, "workers": 1, "warmup": 0}
    result = load(postgres.dsn, **plan, pool_timeout=0.1, statement_timeout=0.2)
    query = result.load.counted["query"]
    assert query.errors["not_started"] == query.skipped > query.scheduled / 2
    found = {item.name: item for item in database_metrics(result, DatabasePlan(**plan))}
    for statistic in ("p50", "p95", "p99", "max"):
        response = found[f"query.response_time.{statistic}"]
        assert (response.value, response.n) == (None, query.scheduled - query.failed)
    assert found["query.response_time.growth"].value is None
    assert found["query.service_time.p50"].value is not None


def test_a_last_time_out_does_not_stretch_a_closed_run(postgres):
    plan = {"model": "closed", "queries": 100, "workers": 2, "warmup": 0, "tenants": 50}
    provisions = load_provisions(DatabasePlan(**plan))
    workload = Workload(statements_of(PAM, provisions), provisions.tenants, seed=1, tag="")
    last_update = max(index for index in range(100) if workload.statement(index).uses_own_row)
    amount = workload.parameters(last_update, tenant="")["amount"]
    with postgres.changed(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"  IF NEW.amount = {amount} THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION slow()",
        "DROP TRIGGER slow ON expenses; DROP FUNCTION slow()",
    ):
        result = load(postgres.dsn, **plan, statement_timeout=4.0)
    query = result.load.counted["query"]
    assert (query.ok, query.timed_out) == (99, 1)
    # with what ended well; on a fast machine the same update waits as long in the warm-up before, and one worker with it
    assert result.load.phases.drain == result.load.last_ok
    throughput = 99 / result.load.phases.measured_seconds
    assert metric(result, "query.throughput") == pytest.approx(throughput)


def test_a_closed_run_tells_how_many_of_its_queries_are_done(postgres):
    seen = []
    load(postgres.dsn, model="closed", think=0.02, queries=400, on_progress=seen.append)
    reports = [report for report in seen if report.operations is not None]
    assert {report.expected for report in reports} == {None}
    done = [report.operations[0] for report in reports]
    assert {report.operations[1] for report in reports} == {400}
    assert done == sorted(done)
    assert 0 < done[-1] <= 400


def test_the_pool_tells_which_connections_took_the_place_of_another(postgres):
    result = load(
        postgres.dsn, model="closed", queries=400, workers=2, think=0.001, warmup=0, pool_recycle=0.05
    )
    opened, recycled = metric(result, "pool.opened"), metric(result, "pool.recycled")
    assert recycled > 0
    assert opened == 2 + recycled
    assert metric(result, "pool.invalidated") == 0
    assert 0 < metric(result, "pool.checked_out.mean") <= metric(result, "pool.checked_out.max")
