"""Steps found and false ones on drawn series with heavy tails: a small piece of ``make bench ONLY=changepoints``."""

import statistics

import numpy as np
import pytest

from benchmarks.changepoints import HEAVY, OTHERS, delays, false_per_100, quiet, score, stepped
from nightbench.verdict import change_points

SEED = 1


@pytest.mark.parametrize("noise", HEAVY)
def test_steps_are_found_and_nothing_else(noise):
    series = quiet(HEAVY[noise], 60, SEED)
    assert score(stepped(series, 0.1, SEED)).f1 >= 0.94
    assert score(stepped(series, 0.2, SEED)).f1 >= 0.98


@pytest.mark.parametrize("noise", HEAVY)
def test_they_are_found_with_their_third_night(noise):
    cases = stepped(quiet(HEAVY[noise], 40, SEED), 0.1, SEED)
    assert statistics.median(delays(cases)) <= 2


@pytest.mark.parametrize("noise", [*HEAVY, "2.5 % spikes of 10–40 %", "autocorrelated, 0.6"])
def test_a_night_at_a_time_there_are_hardly_false_ones(noise):
    series = quiet({**HEAVY, **OTHERS}[noise], 20, SEED)
    assert false_per_100(series) <= 0.12


def test_a_drift_hides_no_step():
    series = quiet(OTHERS["drift of 10 % in all"], 60, SEED)
    assert score(stepped(series, 0.1, SEED)).f1 >= 0.94


@pytest.mark.parametrize(("level", "noise"), [(7.3, 0.4), (12.3, 0.5), (6.4, 0.2)])
def test_values_on_a_coarse_grid_have_the_noise_of_the_grid(level, noise):
    """Most of them are equal, so that medians of distances are 0."""
    random = np.random.default_rng(5)
    flat = np.round(level + noise * random.standard_normal((6, 60)))
    assert [change_points(values[:until]) for values in flat for until in range(10, 61, 5)] == [[]] * 66
    stepped = np.concatenate([flat[0], np.round(1.4 * level + noise * random.standard_normal(30))])
    assert [abs(point.index - 60) <= 2 for point in change_points(stepped)] == [True]


def test_one_spike_among_equal_values_hides_no_step():
    values = np.full(99, 100.0)
    values[30], values[60:] = 200, 110
    assert [point.index for point in change_points(values)] == [60]
