"""What runs when in a tier, and what an interruption leaves out: no load, no clock."""

from __future__ import annotations

import itertools

import pytest
from builders import database_measurement, verdict_of, websocket_measurement
from hypothesis import given
from hypothesis import strategies as st

from nightbench.blocks import Course, Skipped, Turn, blocks_of, reruns_of, suspects_of
from nightbench.plan import TierChanges
from nightbench.tiers import TIERS
from nightbench.verdict.judgement import Line, LineState, Verdict
from nightbench.verdict.verdict import SuiteVerdict

FULL = TIERS["full"].changed(TierChanges(blocks=3, reruns=3))


def called(turns) -> list[str]:
    return [f"{turn.role} {turn.suite} {turn.block}" for turn in turns]


def taken(course: Course, *, break_at: Turn | None = None, stop_before: int | None = None) -> list[Turn]:
    """Run a course to its end; a suite breaks at a turn, or the night is stopped before a number of them."""
    done: list[Turn] = []
    while (turn := course.next(stopped=stop_before is not None and len(done) >= stop_before)) is not None:
        done.append(turn)
        if turn == break_at:
            course.broke(turn.suite)
    return done


def test_the_suites_take_turns():
    plan = FULL.changed(TierChanges(blocks=2))
    assert called(blocks_of(plan)) == [
        "night websocket 1",
        "night database 1",
        "night websocket 2",
        "night database 2",
    ]


@pytest.mark.parametrize(
    ("suspects", "expected"),
    [
        ((), []),
        (("database",), ["rerun database 1", "rerun database 2"]),
        (
            ("database", "websocket"),
            ["rerun websocket 1", "rerun database 1", "rerun websocket 2", "rerun database 2"],
        ),
    ],
)
def test_only_what_is_suspect_is_repeated(suspects, expected):
    assert called(reruns_of(FULL.changed(TierChanges(reruns=2)), suspects)) == expected


def test_with_no_repetitions_a_suspect_stays_one():
    assert reruns_of(FULL.changed(TierChanges(reruns=0)), ["websocket"]) == ()


@given(st.integers(1, 9), st.integers(0, 9), st.sets(st.sampled_from(["websocket", "database"])))
def test_each_suite_has_its_share_and_never_two_blocks_in_a_row(blocks, reruns, suspects):
    plan = FULL.changed(TierChanges(blocks=blocks, reruns=reruns))
    turns = blocks_of(plan)
    assert len(set(turns)) == len(turns) == 2 * blocks
    assert all(first.suite != second.suite for first, second in itertools.pairwise(turns))
    assert {turn.suite for turn in reruns_of(plan, suspects)} == (suspects if reruns else set())


def test_a_suite_that_broke_is_not_tried_again_and_the_other_goes_on():
    course = Course(blocks_of(FULL))
    done = taken(course, break_at=Turn("websocket", "night", 1))
    assert called(done) == ["night websocket 1", "night database 1", "night database 2", "night database 3"]
    assert course.skipped("full") == ()


@pytest.mark.parametrize(
    ("stop_before", "told"),
    [
        (0, ["full websocket: not run: interrupted", "full database: not run: interrupted"]),
        (
            1,
            [
                "full database: not run: interrupted",
                "full websocket: blocks 2 and 3 of 3 not run: interrupted",
            ],
        ),
        (5, ["full database: block 3 of 3 not run: interrupted"]),
        (6, []),
    ],
)
def test_what_an_interruption_leaves_out_is_told_by_suite(stop_before, told):
    course = Course(blocks_of(FULL))
    assert len(taken(course, stop_before=stop_before)) == stop_before
    assert [str(each) for each in course.skipped("full")] == told


def test_a_run_that_had_not_begun_is_left_out_too():
    course = Course(blocks_of(FULL.changed(TierChanges(blocks=1))))
    turn = course.next()
    assert turn is not None
    course.skip(turn)
    assert course.next(stopped=True) is None
    assert course.skipped("full") == (Skipped("full", "websocket"), Skipped("full", "database"))


def test_repetitions_that_were_left_out_are_called_so():
    course = Course(reruns_of(FULL, ["database"]))
    taken(course, stop_before=1)
    assert [str(each) for each in course.skipped("full")] == [
        "full database: repetitions 2 and 3 of 3 not run: interrupted"
    ]


@pytest.mark.parametrize(
    ("turn", "blocks", "label"),
    [
        (Turn("websocket"), 1, "full"),
        (Turn("websocket", "night", 2), 3, "full 2/3"),
        (Turn("websocket", "rerun", 1), 3, "full again 1/3"),
    ],
)
def test_a_run_is_called_by_its_place(turn, blocks, label):
    assert turn.label(FULL.changed(TierChanges(blocks=blocks))) == label


def with_line(verdict: SuiteVerdict, state: LineState) -> SuiteVerdict:
    measurement = verdict.measurement
    line = Line(measurement.suite, measurement.tier, "x.p95", state, True, True, 0.05)
    return SuiteVerdict(measurement, verdict.targets, judged=Verdict((line,)))


def test_suspects_are_found_by_suite():
    verdicts = [
        with_line(verdict_of(websocket_measurement()), "suspect"),
        with_line(verdict_of(database_measurement()), "regression"),
        verdict_of(database_measurement()),
    ]
    assert suspects_of(verdicts) == {"websocket"}
