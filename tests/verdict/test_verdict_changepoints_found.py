"""Steps found and false ones on drawn series with heavy tails: a small piece of ``make bench ONLY=changepoints``."""

import statistics

import pytest

from benchmarks.changepoints import HEAVY, OTHERS, delays, false_per_100, quiet, score, stepped

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
