"""The shift between the two of a pair, against published tables and known truths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.database.observing.paired import LEAST_PAIRS, shift


def test_nineteen_pairs_say_nothing():
    assert shift([1.0] * (LEAST_PAIRS - 1)) is None
    assert shift([1.0] * LEAST_PAIRS) is not None


def test_the_estimate_is_the_median_of_all_averages_of_two():
    values = [0.0] * 10 + [1.0] * 10 + [100.0] * 3
    averages = [(a + b) / 2 for i, a in enumerate(values) for b in values[i:]]
    assert shift(values).estimate == pytest.approx(np.median(averages))


@pytest.mark.parametrize(
    ("n", "critical"), [(20, 52), (25, 89), (30, 137), (35, 195), (40, 264), (45, 343), (50, 434)]
)
def test_the_interval_leaves_out_as_many_averages_as_the_published_table_of_the_test_rejects(n, critical):
    differences = np.random.default_rng(n).normal(3, 2, n)
    averages = sorted((a + b) / 2 for i, a in enumerate(differences) for b in differences[i:])
    found = shift(differences)
    assert found.low == pytest.approx(averages[critical])
    assert found.high == pytest.approx(averages[-critical - 1])


def test_past_fifty_pairs_the_normal_law_leaves_out_about_as_many():
    differences = np.random.default_rng(7).normal(3, 2, 60)
    averages = sorted((a + b) / 2 for i, a in enumerate(differences) for b in differences[i:])
    assert averages[646] <= shift(differences).low <= averages[650]  # the table has 648


@pytest.mark.parametrize("n", [20, 60])
def test_the_interval_holds_the_truth_in_about_95_of_100_runs(n):
    generator = np.random.default_rng(n)
    # of a symmetric law with heavy tails: the median is the truth
    hits = sum(
        found.low <= 2.0 <= found.high
        for found in (shift(2.0 + generator.standard_t(2, n)) for _ in range(1000))
    )
    assert 930 <= hits <= 975


@settings(max_examples=40)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=LEAST_PAIRS, max_size=70),
    st.floats(-1e6, 1e6),
)
def test_it_moves_and_turns_with_the_differences(differences, by):
    found = shift(differences)
    assert found.low <= found.estimate <= found.high
    moved = shift([value + by for value in differences])
    assert moved.estimate == pytest.approx(found.estimate + by, abs=1e-6)
    turned = shift([-value for value in differences])
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
