"""The instants of operations become histograms of their quantities, in total and by window, that add up."""

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.histogram import Histogram, bucket_indices, decode_counts
from nightbench.load.phases import SECOND
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline, Times


def timeline(**options):
    return Timeline(
        ("scheduled", "sent", "last"),
        {
            "message.response_time": ("scheduled", "last"),
            "message.service_time": ("sent", "last"),
            "message.send_lag": ("scheduled", "sent"),
        },
        by_second=("message.response_time", "message.send_lag"),
        **options,
    )


def operation(scheduled, lag, service, end):
    """One that ended, was never sent, was lost, never answered, or due and not even sent."""
    sent = scheduled + lag
    return {
        "ended": (scheduled, sent, sent + service),
        "unsent": (scheduled, NOT_REACHED, scheduled + service),
        "lost": (scheduled, sent, NOT_REACHED),
        "unanswered": (scheduled, sent, NEVER),
        "skipped": (scheduled, NOT_REACHED, NEVER),
    }[end]


spans = st.integers(0, 50_000_000) | st.integers(0, 2_000_000_000)
operations = st.builds(
    operation,
    st.integers(-4 * SECOND, 40 * SECOND).filter(lambda instant: instant not in {NOT_REACHED, NEVER}),
    spans,
    spans,
    st.sampled_from(["ended", "ended", "ended", "unsent", "lost", "unanswered", "skipped"]),
)
limits = st.integers(1, 8) | st.integers(8, 60)


def times_of(rows, limit, folds=()):
    """What one timeline holds of `rows`, having folded after each whose place is in `folds`."""
    line = timeline(entries=limit)
    for place, row in enumerate(rows):
        line.record(row)
        if place in folds:
            line.fold(0)
    line.fold(0)
    return line.times()


def plain(times):
    """All of it, to compare."""
    return {
        "totals": {
            name: (
                total.counts.tobytes(),
                total.n,
                total.beyond,
                total.sum_ns,
                total.min_ns,
                total.max_ns,
            )
            for name, total in times.totals.items()
        },
        "by_second": {
            name: (each.seconds, each.keys.tolist(), each.counts.tolist())
            for name, each in times.by_second.items()
        },
        "span": (times.first_second, times.last_second),
        "windows": times.windows(),
    }


@given(st.lists(operations, max_size=80), st.sets(st.integers(0, 79)), limits)
def test_it_does_not_matter_when_it_is_folded(rows, folds, limit):
    assert plain(times_of(rows, limit, folds)) == plain(times_of(rows, limit))


@given(
    st.lists(st.tuples(operations, st.integers(0, 4), st.booleans()), max_size=80),
    st.integers(1, 5),
    limits,
)
def test_merged_parts_are_the_whole_however_it_was_divided_and_folded(rows, amount, limit):
    whole = times_of([row for row, _, _ in rows], limit)
    shares = [[(row, fold) for row, part, fold in rows if part % amount == index] for index in range(amount)]
    parts = [
        times_of([row for row, _ in share], limit, {place for place, (_, fold) in enumerate(share) if fold})
        for share in shares
    ]
    before = [plain(part) for part in parts]
    assert plain(Times.merged(parts)) == plain(whole)
    assert plain(
        Times.merged([Times.merged(parts[:1]), Times.merged([*parts[1:], times_of([], limit)])])
    ) == plain(whole)
    assert [plain(part) for part in parts] == before  # which are left as they were


def test_parts_that_have_few_counters_each_have_wider_windows_together():
    rows = [operation(second * SECOND, 0, 1_000_000 << second, "ended") for second in range(16)]
    parts = [times_of(rows[:8], 8), times_of(rows[8:], 8)]
    assert [part.by_second["message.response_time"].seconds for part in parts] == [1, 1]
    # of 16 different durations there are never fewer counters than 16: one window is left
    assert Times.merged(parts).by_second["message.response_time"].seconds == 16


def test_what_lies_before_the_measure_phase_has_wider_windows_too():
    rows = [operation(-second * SECOND, 0, 1_000_000, "ended") for second in range(1, 9)]
    assert times_of(rows, 2).by_second["message.response_time"].seconds == 4


def test_a_part_in_which_nothing_happened_does_not_stretch_the_run():
    busy = times_of([operation(second * SECOND, 0, 5, "ended") for second in (7, 11)], 8)
    merged = Times.merged([times_of([], 8), busy])
    assert (merged.first_second, merged.last_second) == (7, 11)


def expected_windows(rows, limit):
    """The windows of the response time, counted one by one, in the smallest width that the limit allows."""
    samples = [
        (scheduled // SECOND, None if last == NEVER else int(bucket_indices(np.array([last - scheduled]))[0]))
        for scheduled, _, last in rows
        if last != NOT_REACHED
    ]
    for width in (2**doublings for doublings in range(40)):
        counts = Counter((second // width, bucket) for second, bucket in samples)
        if len(counts) <= limit or {window for window, _ in counts} <= {-1, 0}:
            return width, counts
    raise AssertionError


@given(st.lists(operations, max_size=80), limits)
def test_windows_are_as_narrow_as_the_limit_allows_and_hold_what_was_scheduled_in_them(rows, limit):
    width, expected = expected_windows(rows, limit)
    found = [each for each in times_of(rows, limit).windows() if each.quantity == "response_time"]
    assert {each.seconds for each in found} <= {width}
    assert [each.second for each in found] == sorted({window * width for window, _ in expected})
    for each in found:
        here = {
            bucket: count for (window, bucket), count in expected.items() if window * width == each.second
        }
        assert each.n == sum(here.values())
        here.pop(None, None)
        assert {int(b): int(c) for b, c in enumerate(decode_counts(each.histogram)) if c} == here


@given(st.lists(operations, max_size=60), limits)
def test_the_windows_of_every_quantity_add_up_to_its_total(rows, limit):
    times = times_of(rows, limit)
    for name, total in times.totals.items():
        here = [each for each in times.windows() if f"{each.operation}.{each.quantity}" == name]
        assert sum(each.n for each in here) == total.total
        assert np.array_equal(
            sum([decode_counts(each.histogram) for each in here], Histogram().counts), total.counts
        )


def test_a_window_is_the_second_in_which_it_was_scheduled():
    line = timeline()
    line.record((-SECOND // 2, NOT_REACHED, 9 * SECOND))
    line.record((3 * SECOND, NOT_REACHED, 9 * SECOND))
    line.fold(0)
    assert [(w.second, w.seconds, w.operation, w.quantity, w.n) for w in line.times().windows()] == [
        (-1, 1, "message", "response_time", 1),
        (3, 1, "message", "response_time", 1),
    ]


def test_what_is_not_kept_by_second_has_one_window_from_the_first_to_the_last_second_of_the_run():
    line = timeline()
    for scheduled in (7, 2, 11):
        line.record((scheduled * SECOND, NOT_REACHED if scheduled == 2 else 12 * SECOND, 13 * SECOND))
        line.fold(0)
    (window,) = (each for each in line.times().windows() if each.quantity == "service_time")
    assert (window.second, window.seconds, window.n) == (2, 10, 2)


def test_what_has_no_sample_has_no_window():
    assert timeline().times().windows() == ()


def test_seconds_are_counted_from_the_given_instant():
    line = timeline()
    line.record((90 * SECOND, 90 * SECOND, 91 * SECOND))
    line.fold(88 * SECOND)
    assert {each.second for each in line.times().windows()} == {2}


def test_what_was_taken_out_does_not_change_any_more():
    line = timeline()
    line.record((0, 1, 2))
    line.fold(0)
    taken = line.times()
    before = plain(taken)
    line.record((5 * SECOND, 5 * SECOND, 6 * SECOND))
    line.fold(0)
    line.times()
    assert plain(taken) == before


def test_times_travel_between_processes():
    times = times_of([operation(second * SECOND, 5, 70, "ended") for second in range(30)], limit=10)
    assert plain(pickle.loads(pickle.dumps(times))) == plain(times)


def test_times_of_different_quantities_are_not_merged():
    other = Timeline(("scheduled", "last"), {"query.time": ("scheduled", "last")}, by_second=())
    with pytest.raises(ValueError, match="different quantities"):
        Times.merged([timeline().times(), other.times()])


def test_a_long_run_is_held_in_little_memory_and_still_holds_every_sample():
    line, rng = timeline(), np.random.default_rng(1)
    for second in range(120):
        scheduled = np.full(2_000, second * SECOND)
        sent = scheduled + rng.lognormal(11, 0.7, 2_000).astype(np.int64)
        last = sent + rng.integers(1_000, 10_000_000_000, 2_000)
        for row in np.column_stack([scheduled, sent, last]).tolist():
            line.record(tuple(row))
        line.fold(0)
    times = line.times()
    response = times.by_second["message.response_time"]
    assert response.seconds > 1
    assert response.counts.sum() == times.totals["message.response_time"].n == 240_000
    assert len(pickle.dumps(times.by_second)) < 2.2e6  # two quantities at most 65,536 times 16 bytes


def test_response_time_runs_from_the_schedule_and_service_time_from_the_send():
    line = timeline()
    line.record((0, 40_000_000, 100_000_000))
    line.fold(0)
    totals = line.times().totals
    assert totals["message.response_time"].mean_ms == pytest.approx(100)
    assert totals["message.service_time"].mean_ms == pytest.approx(60)


def test_an_instant_that_was_not_reached_gives_no_sample():
    line = timeline()
    line.record((0, NOT_REACHED, 100_000_000))
    line.fold(0)
    totals = line.times().totals
    assert totals["message.response_time"].n == 1
    assert totals["message.service_time"].n == 0


def test_what_was_due_and_never_came_has_a_rank_in_the_total_and_in_its_second():
    line = timeline()
    line.record((0, 0, 100_000_000))
    line.record((SECOND // 2, NOT_REACHED, NEVER))
    line.record((3 * SECOND, NEVER, NEVER))
    line.fold(0)
    times = line.times()
    response, service = (times.totals[f"message.{name}_time"] for name in ("response", "service"))
    assert (response.n, response.beyond) == (1, 2)
    assert (service.n, service.beyond) == (1, 0)
    windows = [each for each in times.windows() if each.quantity == "response_time"]
    assert [(each.second, each.n, decode_counts(each.histogram).sum()) for each in windows] == [
        (0, 2, 1),
        (3, 1, 0),
    ]


def test_a_quantity_that_ends_before_it_begins_is_refused():
    line = timeline()
    line.record((5, 4, 9))
    with pytest.raises(ValueError, match="its end lies before its start"):
        line.fold(0)
