"""Stable over the run: a change is certain, or it is not claimed; nothing depends on where a run is cut."""

import heapq
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.database.degradation import PARTS, Course, CourseRecorder
from nightbench.load.histogram import samples_needed
from nightbench.load.phases import SECOND
from nightbench.load.timeline import NEVER

MS = SECOND // 1000


def course(operations, responses, *, rate=1000.0):
    """Of operations that were due at a constant rate."""
    due = np.arange(len(responses)) * round(SECOND / rate)
    response = np.array(responses, np.int64)
    recorder = CourseRecorder(operations)
    recorder.respond(np.arange(len(responses)), response)
    recorder.complete((due + response)[response != NEVER])
    if len(responses):
        recorder.due(int(due[-1]))
    return recorder.course()


def closed_run(seed, *, operations, workers, think=0.0, service=lambda _at: 4.0):
    """Of a closed loop of workers with a lognormal service time around `service` (ms), warmed up for 0.2 s."""
    generator = np.random.default_rng(seed)
    ready = [(-200.0, worker) for worker in range(workers)]
    due, last, ended = [], [], []
    while len(due) < operations:
        at, worker = heapq.heappop(ready)
        end = at + service(at) * generator.lognormal(0, 0.5)
        heapq.heappush(ready, (end + think, worker))
        ended.append(end)
        if at >= 0:
            due.append(at)
            last.append(end)
    recorder = CourseRecorder(operations)
    recorder.respond(np.arange(operations), ((np.array(last) - due) * MS).astype(np.int64))
    recorder.complete((np.array(ended) * MS).astype(np.int64))
    recorder.due(int(due[-1] * MS))
    return recorder.course()


# response time


@given(st.integers(1, 2000))
def test_every_operation_lands_in_a_part_that_is_long_enough_for_its_quantile(operations):
    run = course(operations, [MS * (index + 1) for index in range(operations)])
    sizes = [histogram.n for histogram in run.response_times]
    assert sum(sizes) == operations
    assert max(sizes) - min(sizes) <= 1
    assert run.quantile == (0.95 if operations >= 100 else 0.5)
    values = run.response_ms()
    assert values == sorted(values)
    assert len(values) * samples_needed(run.quantile) <= operations


@pytest.mark.parametrize(
    ("operations", "parts"), [(9, 4), (10, 5), (20, 10), (40, 20), (99, 20), (100, 5), (200, 10), (400, 20)]
)
def test_growth_can_be_told_from_ten_operations_on(operations, parts):
    run = course(operations, [MS * (index + 10) for index in range(operations)])
    assert len(run.response_ms()) == parts
    assert (run.growth is None) == (operations < 10)


def test_a_part_that_failures_emptied_is_left_out():
    recorder = CourseRecorder(400)
    recorder.respond(np.arange(1, 400), np.full(399, MS))
    assert len(recorder.course().response_ms()) == PARTS - 1


def test_a_part_that_never_came_to_an_end_is_longer_than_all():
    run = course(100, [*[SECOND] * 97, *[NEVER] * 3])
    assert run.response_ms() == [*[pytest.approx(1000, rel=1e-3)] * 4, math.inf]


# throughput


@pytest.mark.parametrize("operations", [10, 11, 25, 99, 400, 2000])
def test_a_rate_that_is_kept_does_not_decline(operations):
    service = np.random.default_rng(1).lognormal(math.log(20), 1, operations) * MS
    assert course(operations, service.astype(np.int64)).sure_decline == 0


@pytest.mark.parametrize(
    ("operations", "workers", "think"),
    [(20, 20, 0), (100, 10, 0), (300, 10, 0), (300, 50, 0), (200, 50, 500), (1000, 10, 1)],
)
def test_a_healthy_closed_loop_does_not_decline(operations, workers, think):
    declines = [
        closed_run(seed, operations=operations, workers=workers, think=think).sure_decline
        for seed in range(40)
    ]
    assert np.mean([decline > 0 for decline in declines]) <= 0.15  # below 5 % in many more of them
    assert max(declines) < 20


@pytest.mark.parametrize(
    "service", [lambda at: 4 * (1 + max(0, at) / 600), lambda at: 8 if at > 280 else 4], ids=["slope", "step"]
)
def test_a_closed_loop_that_becomes_half_as_fast_declines(service):
    declines = [
        closed_run(seed, operations=1000, workers=10, service=service).sure_decline for seed in range(10)
    ]
    assert min(declines) > 20


def test_an_open_run_that_the_subject_does_not_keep_up_with_declines():
    # from the middle on, each waits for the one before it: half as many end in the same time
    responses = [2 * MS] * 500 + [2 * MS + place * MS for place in range(500)]
    assert course(1000, responses).sure_decline > 20


def test_what_ends_late_in_the_drain_takes_no_part():
    run = course(400, [*[MS] * 390, *[30 * SECOND] * 10])
    assert run.sure_decline == 0
    assert run.last_tenth.throughput == pytest.approx(31 / 0.0399, rel=0.01)


@pytest.mark.parametrize("ok", [0, 9])
def test_too_few_successes_say_nothing_of_throughput(ok):
    assert course(400, [*[MS] * ok, *[NEVER] * (400 - ok)]).sure_decline is None


def test_what_was_all_due_at_once_has_not_surely_declined():
    run = course(50, [MS] * 50, rate=math.inf)
    assert (run.sure_decline, run.first_tenth.throughput) == (0, None)


# both


def test_the_first_and_the_last_tenth_stand_side_by_side():
    run = course(1000, [MS * (1 if index < 500 else 3) for index in range(1000)])
    first, last = run.first_tenth, run.last_tenth
    assert [tenth.response_time.n for tenth in (first, last)] == [100, 100]
    assert first.response_time.quantile_ms(0.95) == pytest.approx(1, rel=1e-3)
    assert last.response_time.quantile_ms(0.95) == pytest.approx(3, rel=1e-3)
    assert [first.throughput, last.throughput] == pytest.approx([1000, 1000], rel=0.03)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.integers(1, 4))
def test_shards_add_up_to_the_run(responses, shards):
    whole = course(len(responses), responses)
    parts = []
    for shard in range(shards):
        recorder = CourseRecorder(len(responses))
        places = np.arange(shard, len(responses), shards)
        taken = np.array(responses, np.int64)[places]
        recorder.respond(places, taken)
        recorder.complete(places * MS + taken)
        if places.size:
            recorder.due(int(places[-1]) * MS)
        parts.append(recorder.course())
    merged = Course.merged(parts)
    assert merged.details()["response_time"] == whole.details()["response_time"]
    assert merged.completions.counts.sum() + merged.late == len(responses)
    # when the first of them was done, fewer were asked for
    assert merged.until == min((part.until for part in parts if part.until), default=0)


def test_the_details_are_json():
    run = course(100, [*[SECOND] * 97, *[NEVER] * 3])
    assert json.loads(json.dumps(run.details(), allow_nan=False))["response_time"]["ms"][-1] is None
