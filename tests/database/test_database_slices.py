"""Counts over a run of any length: few numbers, nothing lost, the same from any number of shards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.database.slices import MOST, Slices

DAY = 86_400 * 10**9
INSTANTS = st.lists(st.integers(0, DAY), max_size=50)


def counted(*batches):
    slices = Slices()
    for batch in batches:
        slices = slices.plus(np.array(batch, np.int64))
    return slices


@settings(max_examples=30)
@given(INSTANTS, INSTANTS)
def test_nothing_is_lost_and_the_order_does_not_matter(first, second):
    there, back, apart = (
        counted(first, second),
        counted(second, first),
        Slices.merged([counted(first), counted(second)]),
    )
    assert there.counts.sum() == len(first) + len(second)
    for other in (back, apart):
        assert other.width == there.width
        assert other.counts.tolist() == there.counts.tolist()
    assert there.counts.size <= MOST


@given(INSTANTS, st.integers(1, 20))
def test_the_parts_of_the_whole_time_add_up(instants, parts):
    slices = counted(instants)
    until = (slices.counts.size + 1) * slices.width
    assert slices.evenly(parts, until=until).sum() == pytest.approx(len(instants))


def test_a_constant_rate_stays_constant_however_the_parts_lie():
    slices = counted(np.arange(0, DAY, DAY // 100_003))
    for until in (DAY, DAY * 2 // 3, DAY // 7):
        assert slices.evenly(20, until=until) == pytest.approx(until / DAY * 100_003 / 20, rel=0.002)


def test_what_comes_after_the_time_looked_at_is_in_no_part():
    assert counted([1, 10**9]).evenly(2, until=10**8).sum() == 1
