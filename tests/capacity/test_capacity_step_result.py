from __future__ import annotations

from dataclasses import replace

import pytest
from builders import database_measurement, invalidated, websocket_measurement, with_metric

from nightbench.capacity.step_result import step_of
from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Metric

P95 = "message.response_time.p95"


def with_samples(measurement, metric, n, value=None):
    """The same with `n` operations, of which a metric could not be read."""
    operations = {**measurement.operations, "message": OperationCounts(scheduled=n, ok=n)}
    metrics = (
        *(each for each in measurement.metrics if each.name != metric),
        Metric(metric, value, "ms", n),
    )
    return replace(measurement, metrics=metrics, operations=operations)


def test_a_load_that_met_its_targets_has_its_figures_and_its_run():
    run = websocket_measurement()
    step = step_of(run, 100, seconds=1)
    assert (step.result, step.load, step.run_id) == ("met", 100, run.run_id)
    assert (step.success, step.throughput) == (99.5, 49.75)


def test_an_invalid_measurement_is_no_vote():
    step = step_of(invalidated(websocket_measurement(), "the generator was saturated"), 100, seconds=1)
    assert (step.result, step.reasons) == ("invalid", ("the generator was saturated",))


def test_rows_of_other_tenants_are_a_miss_even_of_an_invalid_measurement():
    leaky = invalidated(database_measurement(leaked_rows=1), "the generator was saturated")
    step = step_of(leaky, 50, seconds=1)
    assert step.result == "missed"
    assert "query.leaked_rows" in step.broke


def test_too_few_samples_speak_neither_for_a_load_nor_against_it():
    step = step_of(with_samples(websocket_measurement(), P95, 12), 100, seconds=1)
    assert step.result == "invalid"
    assert step.reasons == (f"{P95} < 2,000 ms: too few samples to tell; measure each load for longer",)


def test_a_percentile_that_is_missing_among_many_operations_was_missed():
    step = step_of(with_samples(websocket_measurement(), P95, 400), 100, seconds=1)
    assert (step.result, step.broke) == ("missed", (P95,))


def test_a_certain_miss_counts_beside_what_is_not_known():
    few = with_samples(websocket_measurement(), P95, 12)
    step = step_of(with_metric(few, "connection.success_rate", 50.0), 100, seconds=1)
    assert (step.result, step.broke) == ("missed", ("connection.success_rate",))


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_figure_that_needs_no_percentile_is_missing_for_a_reason(value):
    run = with_metric(database_measurement(), "query.response_time.growth", value)
    assert step_of(run, 50, seconds=1).result == "missed"
