"""Whatever was measured fits into its file: first the windows get wider, then a digit is given up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.fitting import FEW_WINDOWS, MOST_WINDOWS, fitted
from nightbench.load.histogram import ROUNDED_UP, Histogram, bucket_indices, decode_counts
from nightbench.load.timeline import Times
from nightbench.load.windows import WindowCounter


def times_of(samples, *, by_second=(), beyond=0):
    """Times of the quantities of `samples`: for each the seconds and the durations in ns."""
    totals, counters = {}, {}
    for name, (seconds, durations) in samples.items():
        totals[name] = Histogram()
        totals[name].add(durations)
        totals[name].add_beyond(beyond)
        if name in by_second:
            counters[name] = WindowCounter()
            counters[name].add(seconds, bucket_indices(durations))
            counters[name].add_beyond(np.arange(beyond))
    everything = np.concatenate([seconds for seconds, _ in samples.values()])
    by = {name: counter.counts() for name, counter in counters.items()}
    return Times(totals, by, int(everything.min()), int(everything.max()))


def log_normal(rate, seconds, *, seed=1):
    durations = np.random.default_rng(seed).lognormal(np.log(20e6), 0.4, rate * seconds).astype(np.int64)
    return np.repeat(np.arange(seconds), rate), durations


def of(windows, name):
    return [each for each in windows if f"{each.operation}.{each.quantity}" == name]


def summed(windows):
    return sum([decode_counts(each.histogram) for each in windows], Histogram().counts)


def rounded(counts):
    found = np.zeros_like(counts)
    np.add.at(found, ROUNDED_UP, counts)
    return found


def size(windows):
    return sum(len(each.histogram) for each in windows)


def test_what_fits_is_stored_as_it_was_measured():
    times = times_of({"m.course": log_normal(10, 30), "m.whole": log_normal(10, 30)}, by_second={"m.course"})
    assert fitted([times, times]) == times.windows() * 2


def test_what_does_not_fit_gets_wider_windows_and_keeps_its_digits():
    times = times_of(
        {"m.course": log_normal(50, 300), "m.whole": log_normal(50, 300)}, by_second={"m.course"}
    )
    windows = fitted([times], room=20_000)
    course = of(windows, "m.course")
    assert FEW_WINDOWS / 2 < len(course) < 300
    assert {each.seconds for each in course} == {course[0].seconds}
    for name, total in times.totals.items():
        assert np.array_equal(summed(of(windows, name)), total.counts)


def test_no_window_is_wider_than_it_need_be():
    times = times_of({"m.course": log_normal(50, 300)}, by_second={"m.course"})
    roomy, tight = (of(fitted([times], room=room), "m.course") for room in (60_000, 15_000))
    assert roomy[0].seconds < tight[0].seconds


def test_the_largest_quantity_gives_way_and_the_others_stay_as_they_were():
    large, small = log_normal(100, 300), log_normal(2, 300)
    times = times_of({"m.large": large, "m.small": small}, by_second={"m.large", "m.small"})
    windows = fitted([times], room=40_000)
    assert {each.seconds for each in of(windows, "m.large")} != {1}
    assert {each.seconds for each in of(windows, "m.small")} == {1}


def test_rather_than_its_course_a_run_gives_up_a_digit():
    samples = {f"m.whole{place}": log_normal(200, 300, seed=place) for place in range(10)}
    times = times_of({**samples, "m.course": log_normal(10, 300)}, by_second={"m.course"}, beyond=3)
    windows = fitted([times], room=15_000)
    assert len(of(windows, "m.course")) > FEW_WINDOWS / 2
    exact = [np.array_equal(summed(of(windows, name)), times.totals[name].counts) for name in samples]
    assert not all(exact)
    for name, total in times.totals.items():
        assert sum(each.n for each in of(windows, name)) == total.total
        assert np.array_equal(rounded(summed(of(windows, name))), rounded(total.counts))


def test_at_the_end_of_its_means_a_run_keeps_two_digits_and_two_windows():
    seconds, durations = log_normal(200, 300)
    times = times_of({"m.course": (seconds - 100, durations)}, by_second={"m.course"})
    windows = fitted([times], room=1)
    before, after = windows
    assert (before.second + before.seconds, after.second) == (0, 0)
    assert np.array_equal(summed(windows), rounded(times.totals["m.course"].counts))


def test_a_long_quiet_run_does_not_take_long_to_encode():
    times = times_of({"m.course": log_normal(1, 5 * MOST_WINDOWS)}, by_second={"m.course"})
    windows = fitted([times])
    assert MOST_WINDOWS / 2 < len(windows) <= MOST_WINDOWS
    assert np.array_equal(summed(windows), times.totals["m.course"].counts)


@given(
    st.lists(st.tuples(st.integers(-50, 3_000), st.integers(0, 10**10)), min_size=1, max_size=60),
    st.integers(1, 6_000),
    st.integers(0, 3),
)
def test_no_sample_is_lost_however_little_room_there_is(samples, room, beyond):
    seconds, durations = np.array(samples, dtype=np.int64).T
    times = times_of(
        {"m.course": (seconds, durations), "m.whole": (seconds, durations)},
        by_second={"m.course"},
        beyond=beyond,
    )
    windows = fitted([times], room=room)
    for name, total in times.totals.items():
        here = of(windows, name)
        assert sum(each.n for each in here) == total.total
        assert summed(here).sum() == total.n
        assert np.array_equal(rounded(summed(here)), rounded(total.counts))


def test_nothing_measured_is_no_window():
    assert fitted([]) == ()
    assert fitted([Times({"m.whole": Histogram()}, {})]) == ()


@pytest.mark.parametrize("room", [3_000, 30_000])
def test_the_room_is_kept(room):
    times = times_of(
        {"m.course": log_normal(100, 300), "m.whole": log_normal(100, 300)}, by_second={"m.course"}
    )
    assert (
        size(fitted([times], room=room)) < 1.4 * room
    )  # base64 has 6 bits in 8, which the file does not keep
