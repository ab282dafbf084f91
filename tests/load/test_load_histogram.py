"""Percentiles come from merged HDR histograms, and are missing rather than invented."""

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.histogram import (
    HIGHEST_OF_BUCKET_US,
    HIGHEST_US,
    LENGTH,
    LOWEST_OF_BUCKET_US,
    ROUNDED_UP,
    Histogram,
    bucket_indices,
    decode_counts,
    encode_counts,
    samples_needed,
)

durations = st.lists(st.integers(0, 4_000_000_000_000), min_size=1, max_size=200)


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.array(values, dtype=np.int64))
    return histogram


def encoded(histogram):
    return encode_counts(np.flatnonzero(histogram.counts), histogram.counts[histogram.counts > 0])


@given(durations)
def test_counts_as_hdrhistogram_counts(values):
    reference = HdrHistogram(1, HIGHEST_US, 3)
    for value in values:
        reference.record_value(min(max(1, (value + 500) // 1000), HIGHEST_US))
    assert encoded(histogram_of(values)) == reference.encode()


@given(st.integers(1, HIGHEST_US))
def test_a_counter_is_within_three_digits_of_its_values(micros):
    (index,) = bucket_indices(np.array([micros * 1000]))
    assert 0 <= index < LENGTH
    histogram = histogram_of([micros * 1000])
    assert histogram.quantile_ms_of_any(1.0) * 1000 == pytest.approx(micros, rel=1e-3)


@given(durations)
def test_encoding_loses_no_count(values):
    histogram = histogram_of(values)
    assert np.array_equal(decode_counts(encoded(histogram)), histogram.counts)


@given(durations, durations, st.integers(0, 5), st.integers(0, 5))
def test_merging_is_the_same_as_counting_together(first, second, beyond_first, beyond_second):
    merged, other = histogram_of(first), histogram_of(second)
    merged.add_beyond(beyond_first)
    other.add_beyond(beyond_second)
    merged.merge(other)
    together = histogram_of(first + second)
    together.add_beyond(beyond_first + beyond_second)
    assert np.array_equal(merged.counts, together.counts)
    for field in ("n", "beyond", "sum_ns", "min_ns", "max_ns"):
        assert getattr(merged, field) == getattr(together, field)


@given(st.lists(durations, max_size=4))
def test_a_merged_one_holds_all_and_leaves_its_parts_alone(parts):
    histograms = [histogram_of(part) for part in parts]
    merged = Histogram.merged(histograms)
    assert np.array_equal(merged.counts, histogram_of([value for part in parts for value in part]).counts)
    assert [each.n for each in histograms] == [len(part) for part in parts]


@given(st.integers(0, LENGTH - 1) | st.integers(0, 3 * 1024))
def test_rounding_up_to_two_digits_is_what_hdrhistogram_tells_apart_with_two(index):
    coarse = HdrHistogram(1, HIGHEST_US, 2)
    assert HIGHEST_OF_BUCKET_US[ROUNDED_UP[index]] == coarse.get_highest_equivalent_value(
        int(LOWEST_OF_BUCKET_US[index])
    )


@given(
    st.lists(st.integers(1_000, 10_000_000_000), min_size=100, max_size=400),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_quantile_is_the_order_statistic_within_a_thousandth(values, quantile):
    exact = sorted(values)[max(1, math.ceil(quantile * len(values))) - 1] / 1e6
    assert histogram_of(values).quantile_ms(quantile) == pytest.approx(exact, rel=2e-3, abs=0.001)


@given(
    st.lists(st.integers(1_000, 10_000_000_000), max_size=200),
    st.integers(0, 200),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_what_never_came_has_the_highest_ranks_and_no_value(values, beyond, quantile):
    histogram = histogram_of(values)
    histogram.add_beyond(beyond)
    found = histogram.quantile_ms(quantile)
    everything = sorted(values) + [math.inf] * beyond
    if len(everything) < samples_needed(quantile):
        assert found is None
        return
    exact = everything[math.ceil(quantile * len(everything)) - 1]
    assert (found is None) == (exact == math.inf)
    if found is not None:
        assert found == pytest.approx(exact / 1e6, rel=2e-3, abs=0.001)


def test_the_largest_of_those_that_came_is_not_the_largest():
    histogram = histogram_of([1_000_000, 3_000_000])
    assert histogram.max_ms == 3
    histogram.add_beyond(1)
    assert (histogram.max_ms, histogram.quantile_ms_of_any(1.0)) == (None, None)
    assert (histogram.min_ms, histogram.mean_ms) == (1, 2)
    assert (histogram.n, histogram.total) == (2, 3)


def test_one_of_which_nothing_came_has_no_value_however_few_are_asked_for():
    histogram = Histogram()
    histogram.add_beyond(5)
    assert histogram.quantile_ms_of_any(0.5) is None
    merged = Histogram()
    merged.merge(histogram)
    assert merged.total == 5


@pytest.mark.parametrize(("quantile", "needed"), [(0.5, 2), (0.95, 20), (0.99, 100), (0.999, 1000)])
def test_a_quantile_with_too_few_samples_is_missing(quantile, needed):
    assert samples_needed(quantile) == needed
    assert histogram_of([5_000_000] * (needed - 1)).quantile_ms(quantile) is None
    assert histogram_of([5_000_000] * needed).quantile_ms(quantile) == pytest.approx(5.0)


def test_an_empty_histogram_knows_nothing():
    empty = Histogram()
    assert (empty.mean_ms, empty.min_ms, empty.max_ms, empty.quantile_ms_of_any(0.5)) == (None,) * 4


def test_a_negative_duration_is_refused():
    with pytest.raises(ValueError, match="its end lies before its start"):
        histogram_of([-1])
