"""The noise of runs of one build: what is within a run, what is between runs, and which change shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from builders import invalidated, websocket_measurement, windows

from nightbench.measurement import Measurement, Metric
from nightbench.verdict.sets.noise import COLUMNS, noise_of

P50 = "message.response_time.p50"
SECONDS = 16
SIGMA = 0.4  # of the logarithm, see `builders.histogram`
# of mean 0 and standard deviation 1
STEPS = (-1.31, 0.33, 1.09, -0.55, 0.87, -1.52, 1.63, -0.44, -0.76, 0.66)


@cache
def runs(noise: float, *, rate: int = 20, seconds: int = SECONDS) -> tuple[Measurement, ...]:
    """Ten runs whose level differs by `noise`, each with windows of so many samples."""
    found = []
    for number, step in enumerate(STEPS):
        level = 20 * (1 + noise * step)
        measurement = websocket_measurement(number=number, role="calibration", block=number + 1)
        of_level = windows("message", "response_time", seconds=seconds, rate=rate, median_ms=level)
        metrics = (Metric(P50, level, "ms", 1), Metric("message.throughput", 50.0, "1/s", 1))
        found.append(replace(measurement, windows=of_level, metrics=metrics))
    return tuple(found)


def row(measured: Sequence[Measurement], metric: str = P50):
    return noise_of(measured).set_index("metric").loc[metric]


def test_between_runs_it_is_their_standard_deviation_in_the_unit_of_the_metric():
    found = row(runs(0.05))
    assert found["runs"] == 10
    assert found["mean"] == pytest.approx(20, rel=0.01)
    assert found["between_sd"] == pytest.approx(20 * 0.05 * np.std(STEPS, ddof=1), rel=1e-6)
    assert (found["unit"], found["gates"]) == ("ms", True)


@pytest.mark.parametrize("rate", [20, 80])
def test_within_a_run_it_is_what_the_samples_make_of_a_median(rate):
    found = row(runs(0.0, rate=rate))
    # of the median of a log-normal: sigma · √(π / 2n)
    expected = SIGMA * math.sqrt(math.pi / (2 * SECONDS * rate))
    assert found["within_sd"] / found["mean"] == pytest.approx(expected, rel=0.35)


def test_where_windows_do_not_tell_it_is_missing():
    found = noise_of(runs(0.02)).set_index("metric")
    assert math.isnan(found.loc["message.throughput", "within_sd"])
    few = [replace(each, windows=each.windows[:1]) for each in runs(0.02)]
    assert math.isnan(row(few)["within_sd"])


def test_the_noisier_the_larger_a_change_has_to_be():
    quiet, noisy = (row(runs(noise))["detectable"] for noise in (0.01, 0.05))
    assert 0.05 < quiet < noisy < 1


def test_invalid_runs_do_not_count():
    measured = list(runs(0.02))
    measured[0] = invalidated(replace(measured[0], metrics=(Metric(P50, 9e9, "ms", 1),)), "busy")
    assert (row(measured)["runs"], row(measured)["mean"] < 100) == (9, True)


def test_a_value_that_is_missing_is_not_counted_as_one():
    measured = list(runs(0.02))
    measured[0] = replace(measured[0], metrics=(Metric(P50, None, "ms", 0),))
    assert row(measured)["runs"] == 9


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_runs_know_nothing(count):
    found = noise_of(runs(0.02)[:count])
    assert found.empty
    assert list(found.columns) == COLUMNS


def test_a_metric_that_never_varies_and_one_that_is_always_zero_are_no_trouble():
    zero = Metric("message.zero", 0.0, "1", 1)
    measured = [replace(each, metrics=(*each.metrics, zero)) for each in runs(0.0)]
    found = noise_of(measured).set_index("metric")
    assert found.loc["message.throughput", "between_sd"] == 0
    assert found.loc["message.zero", "between_sd"] == 0
