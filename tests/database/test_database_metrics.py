"""What a run is summed up to: of all queries, of each statement, of the pool; and what is known to be so beforehand."""

from dataclasses import replace

import numpy as np
import pytest
from running import load

from nightbench.database.degradation import CourseRecorder
from nightbench.database.metrics import database_metrics, metric_names
from nightbench.database.observation import Probes
from nightbench.plan import DatabasePlan, StatementPlan, WorkloadPlan

PLAN = DatabasePlan(queries=200, workers=4)


@pytest.fixture(scope="module")
def result(postgres):
    return load(postgres.dsn)


def found(result):
    return {item.name: item.value for item in database_metrics(result, PLAN)}


def test_every_statement_has_its_own_rates_and_rows(result):
    values = found(result)
    names = [statement.name for statement in PLAN.mix.statements]
    assert sum(values[f"query[{name}].throughput"] for name in names) == pytest.approx(
        values["query.throughput"]
    )
    assert {values[f"query[{name}].success_rate"] for name in names} == {100}
    assert values["query[profile_lookup].rows.mean"] == values["query[expense_insert].rows.mean"] == 1
    assert 1 < values["query[expense_listing].rows.mean"] <= 20


def test_the_connections_in_use_are_the_time_that_they_were_held(result):
    values = found(result)
    parts = [values[f"query.{part}_time.mean"] for part in ("begin", "execute", "commit")]
    assert values["pool.checked_out.mean"] == pytest.approx(
        sum(parts) / 1000 * values["query.throughput"], rel=0.01
    )


def test_a_healthy_run_is_stable(result):
    values = found(result)
    assert values["query.first_tenth.throughput"] > 0
    assert values["query.last_tenth.p95"] is not None
    # of answers that all take as long: what other tests take from a run of a second may well be a decline
    steady, due = CourseRecorder(200), np.arange(200) * 5_000_000
    steady.complete(due + 2_000_000)
    steady.due(int(due[-1]))
    values = found(replace(result, load=replace(result.load, course=steady.course())))
    assert values["query.throughput.decline"] == 0


def test_rows_that_a_probe_got_at_have_leaked(result):
    seen = replace(result.observation, probes=Probes(made=3, leaked_rows=2))
    values = found(replace(result, observation=seen))
    assert values["query.leaked_rows"] == 2


def test_what_will_be_measured_is_known_beforehand(result):
    names = {name for name in metric_names(PLAN) if not name.startswith("query.failure_time.")}
    assert names == set(found(result))


def test_the_statements_are_those_of_the_plan():
    statement = StatementPlan(name="my_own", kind="read", sql="SELECT 1")
    plan = PLAN.model_copy(update={"workload": WorkloadPlan(statements=(statement,))})
    parts = {name.partition(".")[0] for name in metric_names(plan) if name.startswith("query[")}
    assert parts == {"query[my_own]"}
