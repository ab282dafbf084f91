"""The instants of operations become per-second histograms that add up to the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.histogram import decode_counts
from nightbench.load.phases import SECOND
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline


def timeline():
    return Timeline(
        ("scheduled", "sent", "last"),
        {"message.response_time": ("scheduled", "last"), "message.service_time": ("sent", "last")},
        by_second=("message.response_time",),
    )


operations = st.lists(
    st.tuples(st.integers(0, 10 * SECOND), st.integers(0, SECOND), st.integers(0, SECOND)),
    min_size=1,
    max_size=80,
)


@given(operations, st.integers(1, 5))
def test_seconds_add_up_to_the_total_however_it_is_folded(rows, folds):
    line = timeline()
    for index, (scheduled, lag, service) in enumerate(rows):
        line.record((scheduled, scheduled + lag, scheduled + lag + service))
        if index % folds == 0:
            line.fold(0)
    line.fold(0)
    times = line.times()
    total = times.totals["message.response_time"]
    assert total.n == len(rows)
    summed = sum(decode_counts(window.histogram) for window in times.windows)
    assert np.array_equal(summed, total.counts)
    assert sum(window.n for window in times.windows) == len(rows)


def test_a_window_is_the_second_in_which_it_was_scheduled():
    line = timeline()
    line.record((-SECOND // 2, 0, 9 * SECOND))
    line.record((3 * SECOND, 3 * SECOND, 9 * SECOND))
    line.fold(0)
    assert [(w.second, w.operation, w.quantity, w.n) for w in line.times().windows] == [
        (-1, "message", "response_time", 1),
        (3, "message", "response_time", 1),
    ]


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
    assert [(w.second, w.n, decode_counts(w.histogram).sum()) for w in times.windows] == [
        (0, 2, 1),
        (3, 1, 0),
    ]
