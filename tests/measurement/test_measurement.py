"""From histograms and counts to metrics."""

import numpy as np
import pytest
from builders import websocket_measurement

from nightbench.load.histogram import Histogram
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import SECOND, Phases
from nightbench.measurement import statistics, throughput, validity_of


def of(samples, *, beyond):
    histogram = Histogram()
    histogram.add(np.arange(1, samples + 1) * 1_000_000)
    histogram.add_beyond(beyond)
    return {
        metric.name.rpartition(".")[2]: metric for metric in statistics("message.response_time", histogram)
    }


def test_what_was_held_back_takes_part_in_the_percentiles_but_not_in_the_mean():
    found = of(960, beyond=40)
    assert found["p95"].value == pytest.approx(950, rel=1e-3)
    assert found["p99"].value is None
    assert found["max"].value is None
    assert (found["min"].value, found["mean"].value) == (1, pytest.approx(480.5))
    assert {name: found[name].n for name in ("min", "mean", "p95", "p99", "max")} == {
        **dict.fromkeys(("min", "mean"), 960),
        **dict.fromkeys(("p95", "p99", "max"), 1000),
    }


def test_when_nothing_was_held_back_every_statistic_is_there():
    assert None not in {metric.value for metric in of(1000, beyond=0).values()}


@pytest.mark.parametrize(
    ("ok", "last_ok", "rate"),
    [
        (400, 8.9, 50),  # seconds after the start: one second of them before anything counts
        (399, 7.0, 49.875),
        (400, 17.0, 25),  # it fell behind
        (0, 0, 0),
    ],
)
def test_throughput_is_of_the_measure_phase_and_of_what_still_ended_well_after_it(ok, last_ok, rate):
    phases = Phases.plan(0, ramp=0.5, warmup=0.5, measure=8, drain=10)
    found = throughput("message", ok, phases, last_ok=round(last_ok * SECOND))
    assert (found.name, found.value, found.unit, found.n) == ("message.throughput", rate, "1/s", ok)


def test_a_run_that_never_measured_has_no_throughput():
    assert throughput("query", 0, Phases(5, 5, 5, 5, 5), last_ok=0).value is None


@pytest.mark.parametrize("accounts", ["operations", "uncounted"])
def test_a_measurement_whose_account_does_not_add_up_is_none(accounts):
    whole = OperationCounts(scheduled=2, ok=1, in_flight=1)
    assert websocket_measurement(**{accounts: {"message": whole}})
    with pytest.raises(AssertionError, match="the account of 'message' does not add up"):
        websocket_measurement(**{accounts: {"message": OperationCounts(scheduled=2, ok=1)}})


def test_operations_that_never_ended_make_it_invalid_with_their_number():
    counted = {"message": OperationCounts(scheduled=3, ok=1, in_flight=2), "connection": OperationCounts()}
    (reason,) = validity_of((), counted, measured_seconds=8, given_up=None).reasons
    assert "operations never ended: 2 of message;" in reason


def test_what_is_still_under_way_when_a_run_is_cut_short_is_no_error_of_ours():
    counted = {"message": OperationCounts(scheduled=3, ok=1, in_flight=2)}
    found = validity_of((), counted, measured_seconds=8, given_up="interrupted")
    assert found.reasons == ("incomplete after 8.0 s of measuring: interrupted",)
    assert not found.complete
