"""The blocks of a suite as one night: which value counts, which block is shown, when a promise is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import database_measurement, invalidated, websocket_measurement, with_metric
from hypothesis import given
from hypothesis import strategies as st

from nightbench.errors import ExitCode
from nightbench.measurement import Measurement, Metric
from nightbench.target import Target
from nightbench.verdict.night_value import judge_night, night_metrics, shown
from nightbench.verdict.verdict import exit_code, suite_verdict

P95 = "message.response_time.p95"
CONNECTED = "connection.connected_users"
RUN = websocket_measurement()
TARGET = (Target(metric=P95, op="<", limit=2000),)


def blocks(*values: float | None, metric: str = P95) -> list[Measurement]:
    return [
        with_metric(websocket_measurement(number=number, block=number + 1), metric, value)
        for number, value in enumerate(values)
    ]


def value_of(runs: list[Measurement], metric: str = P95) -> float | None:
    return next(each.value for each in night_metrics(runs) if each.name == metric)


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ((10,), 10),
        ((10, 30), 20),
        ((30, 10, 20), 20),
        ((10, 20, 9000), 20),
        ((10, None, 30), 20),
        ((None, None), None),
        ((float("nan"), 10), 10),
    ],
)
def test_the_value_of_a_night_is_the_median_of_its_blocks(values, median):
    assert value_of(blocks(*values)) == median


def test_an_invalid_block_has_no_part_in_it():
    runs = [invalidated(blocks(9000)[0], "busy"), *blocks(10, 20)]
    assert value_of(runs) == 15


def test_where_none_is_valid_all_are_shown_for_what_they_are_worth():
    assert value_of([invalidated(each, "busy") for each in blocks(10, 30)]) == 20


def test_the_samples_behind_it_are_those_of_all():
    assert {each.n for each in night_metrics(blocks(1, 2, 3)) if each.name == P95} == {1200}


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=9), st.randoms())
def test_the_order_of_the_blocks_does_not_matter_and_it_lies_among_them(values, random):
    runs = [replace(RUN, metrics=(Metric(P95, value, "ms", 1),)) for value in values]
    mixed = random.sample(runs, len(runs))
    assert value_of(mixed) == value_of(runs)
    assert min(values) <= value_of(runs) <= max(values)


@pytest.mark.parametrize(
    ("values", "block"),
    [((30, 10, 20), 3), ((10, 20), 1), ((10, None, 20, 30), 3), ((None, None), 1), ((5,), 1)],
)
def test_the_block_in_the_middle_is_shown(values, block):
    assert shown(blocks(*values)).block == block


def test_a_block_that_leaked_is_shown_whatever_its_times():
    runs = [database_measurement(number=each, block=each + 1, leaked_rows=each == 2) for each in range(3)]
    assert shown(runs).block == 3


@pytest.mark.parametrize(
    ("target", "values", "value", "met"),
    [
        (f"{P95} < 2000", (100, 5000, 200), 200, True),
        (f"{P95} < 2000", (100, 5000, 5000), 5000, False),
        (f"100 <= {P95} <= 300", (100, 5000, 200), 200, True),
        (f"{P95} < 2000", (100, None, 200), None, False),  # a missing value is never a silent pass
        (f"{CONNECTED} >= 100", (100, 100, 100), 100, True),
        (f"{CONNECTED} >= 100", (100, 97, 99), 97, False),  # a count has to be right in each
    ],
)
def test_a_promise_is_held_against_the_night(target, values, value, met):
    promise = Target.model_validate(target)
    (result,) = judge_night((promise,), blocks(*values, metric=promise.metric))
    assert (result.value, result.met) == (value, met)


def test_of_an_invalid_block_no_promise_is_broken():
    runs = [*blocks(100), invalidated(blocks(5000)[0], "busy")]
    assert judge_night(TARGET, runs)[0].met


@pytest.mark.parametrize("block", [0, 1, 2])
def test_a_row_that_leaked_in_any_block_fails_the_night(block):
    runs = [database_measurement(number=each, block=each + 1, leaked_rows=each == block) for each in range(3)]
    verdict = suite_verdict(runs)
    assert verdict.state == "missed"
    assert [target.metric for target in verdict.missed] == ["query.leaked_rows"]


def test_so_does_one_of_an_invalid_block_or_of_a_repetition():
    good, leaking = database_measurement(), database_measurement(number=1, block=2, leaked_rows=1)
    assert suite_verdict([good, invalidated(leaking, "busy")]).state == "missed"
    rerun = database_measurement(number=1, role="rerun", leaked_rows=1)
    assert suite_verdict([good, rerun]).state == "missed"
    assert suite_verdict([good, rerun]).measurement is rerun


def test_repetitions_are_no_part_of_the_value():
    rerun = with_metric(websocket_measurement(number=5, role="rerun"), P95, 9000)
    verdict = suite_verdict([*blocks(10, 20, 30), rerun])
    assert verdict.value(P95) == 20
    assert verdict.reruns == (rerun,)


@pytest.mark.parametrize(
    ("bad", "notes", "state"),
    [
        (set(), ("median of 3 blocks",), "met"),
        ({2}, ("median of 2 of 3 blocks", "block 2 left out: busy; late"), "met"),
        (
            {1, 2, 3},
            ("none of 3 blocks is valid", *(f"block {each} left out: busy; late" for each in (1, 2, 3))),
            "invalid",
        ),
    ],
)
def test_what_the_blocks_make_is_told(bad, notes, state):
    runs = [invalidated(each, "busy", "late") if each.block in bad else each for each in blocks(1, 2, 3)]
    verdict = suite_verdict(runs)
    assert (verdict.block_notes, verdict.state) == (notes, state)


def test_a_night_that_was_cut_short_is_no_pass_though_its_other_blocks_are_good():
    cut = invalidated(blocks(10)[0], "incomplete", complete=False)
    verdict = suite_verdict([*blocks(10), cut])
    assert verdict.state == "met"
    assert exit_code([verdict]) is ExitCode.INVALID
