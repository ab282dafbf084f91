"""What holds for the change points of any series."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.verdict import change_points

ANYTHING = st.lists(
    st.one_of(
        st.none(),
        st.floats(),
        st.sampled_from([0.0, 1.0, 1.1, 100.0, -1.0]),
        st.floats(90, 120),
    ),
    max_size=40,
)


@st.composite
def levels(draw):
    """Noise of 2 % about one to four levels of at least eight nights."""
    heights = draw(st.lists(st.sampled_from([80.0, 100.0, 125.0, 160.0]), min_size=1, max_size=4))
    nights = [draw(st.integers(8, 25)) for _ in heights]
    dice = np.random.default_rng(draw(st.integers(0, 999)))
    return np.repeat(heights, nights) * np.exp(0.02 * dice.standard_normal(sum(nights)))


@given(values=ANYTHING)
def test_each_point_is_what_was_asked_for(values):
    points = change_points(values)
    known = [at for at, value in enumerate(values) if value is not None and math.isfinite(value)]
    ranks = [known.index(point.index) for point in points]
    ends = [0, *ranks, len(known)]
    assert all(later - earlier >= 3 for earlier, later in itertools.pairwise(ends)) or not points
    assert all(0 <= point.p <= 1e-4 for point in points)
    assert all(abs(point.effect) >= 0.01 and not math.isnan(point.effect) for point in points)


@given(series=levels(), factor=st.sampled_from([1e-9, 0.3, 7.0, 1e12]))
@settings(max_examples=40)
def test_the_unit_does_not_matter(series, factor):
    plain, scaled = change_points(series), change_points(series * factor)
    assert [point.index for point in plain] == [point.index for point in scaled]
    assert [point.effect for point in plain] == pytest.approx([point.effect for point in scaled])


@given(series=levels())
@settings(max_examples=40)
def test_the_metric_s_direction_changes_nothing_but_the_verdict(series):
    for up, down in zip(change_points(series), change_points(series, higher_is_worse=False), strict=True):
        assert (up.index, up.effect, up.p) == (down.index, down.effect, down.p)
        assert up.worse is not down.worse
        assert up.worse is (up.effect > 0)


@given(series=levels())
@settings(max_examples=40)
def test_the_inverse_of_a_series_changes_where_it_does(series):
    """A latency, and the throughput that goes with it."""
    latency, throughput = change_points(series), change_points(1 / series, higher_is_worse=False)
    assert [(point.index, point.worse) for point in latency] == [(p.index, p.worse) for p in throughput]
    assert [1 + p.effect for p in latency] == pytest.approx([1 / (1 + p.effect) for p in throughput])


@given(seed=st.integers(0, 999), at=st.integers(12, 48))
@settings(max_examples=40)
def test_backwards_it_is_as_significant(seed, at):
    series = 100 * np.exp(0.02 * np.random.default_rng(seed).standard_normal(60))
    series[at:] *= 1.25
    (there,), (back,) = change_points(series), change_points(series[::-1])
    assert there.index == 60 - back.index
    assert there.p == pytest.approx(back.p)
    assert 1 + there.effect == pytest.approx(1 / (1 + back.effect))


@given(series=levels(), gaps=st.sets(st.integers(0, 120), max_size=20))
@settings(max_examples=40)
def test_missing_nights_move_the_index_alone(series, gaps):
    values: list[float | None] = []
    place = []
    for at, value in enumerate(series):
        values += [None] * (at in gaps)
        place.append(len(values))
        values.append(float(value))
    points, with_gaps = change_points(series), change_points(values)
    assert [place[point.index] for point in points] == [point.index for point in with_gaps]
    assert [(p.effect, p.p, p.worse) for p in points] == [(p.effect, p.p, p.worse) for p in with_gaps]


@given(seed=st.integers(0, 999), at=st.integers(10, 40), by=st.sampled_from([0.8, 1.15, 1.3]))
@settings(max_examples=30)
def test_a_point_that_is_a_week_old_stays(seed, at, by):
    series = 100 * np.exp(0.02 * np.random.default_rng(seed).standard_normal(60))
    series[at:] *= by
    for known in range(at + 7, 61, 4):
        assert any(abs(point.index - at) <= 1 for point in change_points(series[:known])), known


@given(series=levels())
@settings(max_examples=40)
def test_the_same_series_has_the_same_points(series):
    before = series.copy()
    assert change_points(series) == change_points(list(series))
    assert (series == before).all()
