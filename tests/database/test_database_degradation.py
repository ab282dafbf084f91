"""Stable over the run: growth is certain, or it is not claimed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.degradation import SEGMENTS, Segments, certain_growth
from nightbench.load.histogram import samples_needed


def test_a_doubling_is_found():
    assert certain_growth(np.linspace(10, 20, SEGMENTS)) == pytest.approx(100 * 10 / 15, rel=0.01)


@pytest.mark.parametrize("spike", [0, 10, 19])
def test_one_spike_is_no_growth(spike):
    series = [10.0] * SEGMENTS
    series[spike] = 500.0
    assert certain_growth(series) == pytest.approx(0, abs=1)


def test_noise_without_a_trend_seldom_grows():
    generator = np.random.default_rng(1)
    claims = [certain_growth(generator.lognormal(2, 0.3, SEGMENTS)) > 0 for _ in range(1000)]
    assert np.mean(claims) < 0.08  # 5 % by construction


def test_a_strong_trend_under_noise_is_found():
    generator = np.random.default_rng(2)
    found = [
        certain_growth(np.linspace(10, 40, SEGMENTS) * generator.lognormal(0, 0.15, SEGMENTS)) > 50
        for _ in range(200)
    ]
    assert np.mean(found) > 0.95


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 4])
def test_too_short_a_run_says_nothing(values):
    assert certain_growth(values) is None


def test_all_zero_says_nothing():
    assert certain_growth([0.0] * 10) is None


@given(st.integers(1, 2000))
def test_every_operation_lands_in_a_segment_that_is_long_enough_for_its_quantile(operations):
    segments = Segments(operations)
    for index in range(operations):
        segments.record(index, 1_000_000 * (index + 1))
    segments.fold()
    sizes = [histogram.n for histogram in segments.histograms]
    assert sum(sizes) == operations
    assert max(sizes) - min(sizes) <= 1
    assert segments.quantile == (0.95 if operations >= 100 else 0.5)
    assert min(sizes) >= min(operations, samples_needed(segments.quantile))
    values = segments.values_ms()
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("operations", "segments"), [(9, 4), (10, 5), (40, 20), (99, 20), (100, 5), (400, 20), (10_000, 20)]
)
def test_growth_can_be_told_from_ten_operations_on(operations, segments):
    run = Segments(operations)
    for index in range(operations):
        run.record(index, 1_000_000 * (index + 10))
    run.fold()
    assert len(run.values_ms()) == segments
    assert (certain_growth(run.values_ms()) is None) == (operations < 10)


def test_a_segment_that_failures_emptied_is_left_out():
    run = Segments(400)
    for index in range(1, 400):
        run.record(index, 1_000_000)
    run.fold()
    assert len(run.values_ms()) == SEGMENTS - 1
