"""What no worker came to does not vanish, and what timed out does not stretch the run."""

import math

import pytest
from test_database_generator import load, metric

from nightbench.database.degradation import Segments, certain_growth
from nightbench.database.metrics import database_metrics
from nightbench.database.records import Records
from nightbench.database.session import Transaction
from nightbench.database.turns import Turn
from nightbench.database.workload import PAM_MIX, Workload
from nightbench.load.phases import SECOND
from nightbench.tenants import first_tenants

LOOKUP = PAM_MIX[0]


def ended(last, error=None):
    return Transaction(sent=2, acquired=3, began=4, executed=5, committed=last, last=last, error=error)


def totals(records):
    records.fold(0)
    return {name: total for times in records.times() for name, total in times.totals.items()}


def test_what_was_not_started_has_the_highest_ranks():
    records = Records([LOOKUP], workers=1, operations=100)
    for index in range(94):
        turn = Turn(index, 1, index)
        records.begin(0, turn, LOOKUP)
        records.end(0, turn, LOOKUP, ended(2_000_000), ready=1)
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
    assert records.segment_ms()[-1] == math.inf


def test_what_was_not_started_in_the_warm_up_does_not_count():
    records = Records([LOOKUP], workers=1, operations=10)
    records.skip(Turn(0, 1, None), LOOKUP)
    assert totals(records)["query.response_time"].total == 0
    assert records.uncounted()["query"].skipped == 1


def test_a_schedule_that_the_workers_do_not_keep_up_with_has_no_percentiles(postgres):
    result = load(
        postgres.dsn,
        queries=20_000,
        rate=100_000,
        workers=1,
        warmup=0,
        pool_timeout=0.1,
        statement_timeout=0.2,
    )
    query = result.counted["query"]
    assert query.errors["not_started"] == query.skipped > query.scheduled / 2
    found = {item.name: item for item in database_metrics(result)}
    for statistic in ("p50", "p95", "p99", "max"):
        response = found[f"query.response_time.{statistic}"]
        assert (response.value, response.n) == (None, query.scheduled - query.failed)
    assert found["query.response_time.growth"].value is None
    assert found["query.service_time.p50"].value is not None


def test_only_what_ended_well_is_time_in_which_something_was_done():
    records = Records([LOOKUP], workers=2, operations=10)
    for worker, last, error in ((0, 100, None), (1, 900, "sqlstate_57014"), (0, 800, "sqlstate_22012")):
        turn = Turn(worker, 1, worker)
        records.begin(worker, turn, LOOKUP)
        records.end(worker, turn, LOOKUP, ended(last, error), ready=1)
    assert records.last_ok == 100


def test_a_last_time_out_does_not_stretch_a_closed_run(postgres):
    workload = Workload(PAM_MIX, first_tenants(50), seed=1, tag="")
    last_update = max(index for index in range(100) if workload.statement(index).kind == "update")
    amount = workload.statement(last_update).parameters(workload.draw(last_update))["amount"]
    with postgres.changed(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"  IF NEW.amount = {amount} THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION slow()",
        "DROP TRIGGER slow ON expenses; DROP FUNCTION slow()",
    ):
        result = load(
            postgres.dsn,
            model="closed",
            rate=None,
            queries=100,
            workers=2,
            warmup=0,
            statement_timeout=4.0,
        )
    query = result.counted["query"]
    assert (query.ok, query.timed_out) == (99, 1)
    assert result.phases.measured_seconds < 4
    assert metric(result, "query.throughput") == pytest.approx(99 / result.phases.measured_seconds)


def test_a_closed_run_tells_how_many_of_its_queries_are_done(postgres):
    seen = []
    load(postgres.dsn, model="closed", rate=None, think=0.02, queries=400, on_progress=seen.append)
    assert {report.expected for report in seen} == {None}
    done = [report.operations[0] for report in seen]
    assert {report.operations[1] for report in seen} == {400}
    assert done == sorted(done)
    assert 0 < done[-1] <= 400


def test_a_segment_that_never_came_to_an_end_is_longer_than_all():
    segments = Segments(100)
    for index in range(100):
        if index < 99:
            segments.record(index, SECOND)
        else:
            segments.miss(index)
    for index in range(97, 99):
        segments.miss(index)
    segments.fold()
    assert segments.quantile == 0.95
    assert segments.values_ms() == [pytest.approx(1000, rel=1e-3)] * 4 + [math.inf]


INF = math.inf


@pytest.mark.parametrize(
    ("values", "growth"),
    [
        ([5, 5, 5, INF, 5, 5, 5, 5], 0),  # a spike is no growth
        ([INF, 5, 5, 5, 5, 5, 5, 5], 0),
        ([5, 5, 5, INF, INF, INF, INF, INF], None),
        ([5, 6, 7, 8, 9, 10, 11, INF], pytest.approx(82.35, abs=0.1)),  # surely by so much
        ([INF] * 6, None),
    ],
)
def test_growth_among_segments_that_never_came_to_an_end(values, growth):
    assert certain_growth(values) == growth
