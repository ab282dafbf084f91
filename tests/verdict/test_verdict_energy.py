"""The best partition of a series, against all there are."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.verdict.series.energy import Energy

SERIES = st.lists(st.integers(0, 8), min_size=1, max_size=11).map(
    lambda values: np.array(values, dtype=float)
)


def within(values):
    """Distances of all pairs by the number of values."""
    pairs = itertools.combinations(values, 2)
    return sum(abs(a - b) for a, b in pairs) / len(values)


def cost(series, cuts, price):
    ends = [0, *cuts, len(series)]
    parts = [series[low:high] for low, high in itertools.pairwise(ends)]
    return sum(within(part) for part in parts) + price * len(cuts)


def every_partition(size, segment):
    for count in range(size // segment):
        for cuts in itertools.combinations(range(1, size), count):
            if all(high - low >= segment for low, high in itertools.pairwise([0, *cuts, size])):
                yield list(cuts)


@given(series=SERIES, price=st.sampled_from([0.1, 1.0, 3.0]), segment=st.integers(1, 4))
def test_no_partition_is_cheaper(series, price, segment):
    cuts = Energy(series).best_cuts(price, segment)
    costs = [cost(series, other, price) for other in every_partition(len(series), segment)] or [
        within(series)
    ]
    assert cost(series, cuts, price) == pytest.approx(min(costs))


@given(series=SERIES.filter(lambda values: len(values) >= 2))
def test_no_single_cut_is_better(series):
    size = len(series)
    cut = Energy(series).cut_again(0, size, 1, size - 1)
    costs = [within(series[:at]) + within(series[at:]) for at in range(1, size)]
    assert within(series[:cut]) + within(series[cut:]) == pytest.approx(min(costs))
