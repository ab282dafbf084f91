"""Drawn without state: the same place draws the same, and different places have nothing to do with each other."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from load.distributions import KOLMOGOROV_999, kolmogorov

from nightbench.load.dice import _GOLDEN, _mixed, uniform

places = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 100), st.integers(0, 50_000), st.integers(0, 2**60)
)
N = 20_000


def drawn(along):
    """Many draws, one coordinate of the place running."""
    place = {"seed": 7, "stream": 3, "user": 11, "turn": 13}
    return np.array([uniform(**place | {along: value}) for value in range(N)])


@given(places)
def test_it_lies_in_its_range_and_stays_the_same(place):
    assert 0 <= uniform(*place) < 1
    assert uniform(*place) == uniform(*place)


@given(places)
def test_it_is_the_output_function_once_for_each_part(place):
    state = 0
    for part in place:
        state = _mixed(state + part + _GOLDEN)
    assert uniform(*place) == (state >> 11) / 2**53


def test_the_output_function_is_splitmix64s():
    """The first three outputs of the published generator from seed 0."""
    outputs = [_mixed((step * _GOLDEN) % 2**64) for step in (1, 2, 3)]
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("along", ["seed", "stream", "user", "turn"])
def test_it_is_uniform_along_each_part_of_the_place(along):
    assert kolmogorov(drawn(along)) < KOLMOGOROV_999 / np.sqrt(N)


@pytest.mark.parametrize("along", ["seed", "stream", "user", "turn"])
def test_neighbours_have_nothing_to_do_with_each_other(along):
    draws = drawn(along)
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 3.3 / np.sqrt(N)


def test_the_parts_cannot_stand_in_for_each_other():
    draws = [uniform(*place) for place in itertools.product(range(8), repeat=4)]
    assert len(set(draws)) == 8**4


def test_another_process_draws_the_same():
    program = "from nightbench.load.dice import uniform; print(uniform(1, 2, 3, 4))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(said.stdout) == uniform(1, 2, 3, 4)
