"""The truths that nightbench is measured against have to be right themselves."""

import itertools

import numpy as np
import pytest

from benchmarks.delays import DISTRIBUTIONS, LONGEST, drawn_delays
from benchmarks.truth import percentile_ms, replies_between, stalled_response_times

SECOND = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("quantile", "expected"), [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_duration_of_its_rank(quantile, expected):
    durations = np.arange(100, 0, -1) * MS
    assert percentile_ms(durations, quantile) == expected


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="no reply"):
        percentile_ms(np.array([], dtype=np.int64), 0.5)


def test_replies_are_those_that_arrived_in_the_measure_phase():
    log = np.array([[9, 19], [10, 21], [19, 49], [20, 21]])
    assert replies_between(log, 10, 20).tolist() == [11, 30]


def test_what_is_due_in_a_stall_waits_for_its_end():
    times = stalled_response_times((0, 10 * SECOND), 1.0, (2 * SECOND, 5 * SECOND))
    assert (times / SECOND).tolist() == [0, 0, 2.5, 1.5, 0.5, 0, 0, 0, 0, 0]


def test_the_classic_experiment_has_a_p99_of_more_than_a_second():
    times = stalled_response_times((0, 20 * SECOND), 50.0, (8 * SECOND, 8 * SECOND + 1400 * MS))
    assert percentile_ms(times, 0.99) == pytest.approx(1190, abs=10)
    assert percentile_ms(times, 0.90) == 0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_same_seed_draws_the_same_delays(distribution):
    first, again, other = (
        list(itertools.islice(drawn_delays(distribution, seed), 5000)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert min(first) > 0
    assert max(first) <= LONGEST
