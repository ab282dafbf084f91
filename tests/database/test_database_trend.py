"""What rose or fell is said to when it surely did, whether by and by or in one step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.trend import trend

INF = math.inf
SIZES = (10, 20)


def changed(values):
    return trend(values, level=float(np.median(values)))


def share(claims):
    return float(np.mean(list(claims)))


def test_a_doubling_is_found():
    found = changed(np.linspace(10, 20, 20))
    assert (found.estimate, found.low, found.high, found.rise, found.fall) == (
        *[pytest.approx(100 * 10 / 15)] * 4,
        0,
    )


@pytest.mark.parametrize("spike", [0, 10, 19])
def test_one_spike_is_no_change(spike):
    series = [10.0] * 20
    series[spike] = 500.0
    found = changed(series)
    assert (found.rise, found.fall) == (0, 0)


@pytest.mark.parametrize("size", [5, *SIZES])
def test_noise_without_a_trend_seldom_rises_or_falls(size):
    generator = np.random.default_rng(1)
    found = [changed(generator.lognormal(2, 0.3, size)) for _ in range(1000)]
    assert share(each.rise > 0 for each in found) < 0.05
    assert share(each.fall > 0 for each in found) < 0.05


@pytest.mark.parametrize(("correlation", "most"), [(0.3, 0.11), (0.6, 0.22)])
def test_of_values_that_hold_to_the_one_before_more_rise_and_fall_and_no_more_than_is_said(correlation, most):
    generator = np.random.default_rng(5)
    series = generator.normal(0, 1, (500, 40))
    for place in range(1, 40):
        series[:, place] *= math.sqrt(1 - correlation**2)
        series[:, place] += correlation * series[:, place - 1]
    found = [changed(np.exp(2 + 0.3 * each[-20:])) for each in series]
    assert share(each.rise > 0 for each in found) < most
    assert share(each.fall > 0 for each in found) < most


def test_the_interval_holds_the_truth_in_nineteen_of_twenty_cases():
    generator = np.random.default_rng(2)
    line = np.linspace(100, 130, 20)
    found = [trend(line + generator.normal(0, 10, 20), level=100) for _ in range(1000)]
    assert 0.93 < share(each.low <= 30 <= each.high for each in found) < 0.99


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", ["by and by", "in one step"])
def test_a_fall_to_half_under_noise_is_found(size, shape):
    generator = np.random.default_rng(3)
    line = np.linspace(100, 50, size) if shape == "by and by" else np.repeat([100, 50], size // 2)
    found = [changed(line * generator.lognormal(0, 0.1, size)) for _ in range(200)]
    assert share(each.fall > 20 for each in found) > 0.9
    assert all(each.rise == 0 for each in found)


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 4, [0.0] * 10])
def test_too_few_figures_and_none_above_zero_say_nothing(values):
    assert trend(values, level=float(np.mean(values)) if values else 1.0) is None


@pytest.mark.parametrize(
    ("values", "rise"),
    [
        ([5, 5, 5, INF, 5, 5, 5, 5], 0),  # a spike is no growth
        ([INF, 5, 5, 5, 5, 5, 5, 5], 0),
        ([5, 6, 7, 8, 9, 10, 11, INF], pytest.approx(82.35, abs=0.1)),  # surely by so much
        ([5] * 13 + [INF] * 7, None),  # surely, and nobody knows by how much
        ([INF] * 7 + [5] * 13, 0),
    ],
)
def test_growth_among_infinite_values(values, rise):
    assert changed(values).rise == rise


@pytest.mark.parametrize("values", [[INF] * 6, [5, 5, 5, INF, INF, INF, INF, INF]])
def test_of_infinite_values_alone_there_is_no_percentage(values):
    assert changed(values) is None


@given(st.lists(st.floats(0.1, 1e6), min_size=5, max_size=20))
def test_backwards_a_rise_is_a_fall_and_never_both(values):
    there, back = trend(values, level=1.0), trend(values[::-1], level=1.0)
    assert (there.rise, there.fall) == pytest.approx((back.fall, back.rise), rel=1e-9)
    assert 0 in (there.rise, there.fall)
    assert there.low <= there.estimate <= there.high
