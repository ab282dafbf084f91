"""Every row of the table of cold starts and missing data in docs/verdict.md."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from judged import METRIC, history, judged, line, noisy, series, tonight

from nightbench.verdict import judge

WORSE = 40.0  # twice the usual 20


@pytest.mark.parametrize(
    ("nights", "state", "note"),
    [
        (0, "no baseline", "no baseline yet: 0 comparable nights, 5 make one; targets only"),
        (1, "no baseline", "no baseline yet: 1 comparable night, 5 make one; targets only"),
        (4, "no baseline", "no baseline yet: 4 comparable nights, 5 make one; targets only"),
        (5, "provisional", "provisional: 5 comparable nights, a regression needs 10"),
        (9, "provisional", "provisional: 9 comparable nights, a regression needs 10"),
        (10, "suspect", None),
        (30, "suspect", None),
    ],
)
def test_how_many_nights_there_are(nights: int, state: str, note: str | None) -> None:
    verdict = judge(history(nights), tonight(nights, WORSE))
    found = line(verdict)
    assert (found.state, found.nights) == (state, min(nights, 20))
    assert verdict.notes == (() if note is None else (f"full websocket: {note}",))
    assert (found.effect is None) == (found.baseline is None) == (nights < 5)
    assert (found.noise is None) == (nights < 5)
    assert (found.p_adjusted is None) == (nights < 10)


def test_first_night_of_all_has_no_rows_before_it() -> None:
    found = judged(0, 20.0)
    assert (found.value, found.baseline, found.p, found.detectable) == (20.0, None, None, None)
    assert found.why == "0 nights so far; 5 make a baseline"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "nothing"])
def test_no_value_tonight_is_missing(value: object) -> None:
    found = judged(12, value)
    assert (found.state, found.value, found.effect) == ("missing", None, None)
    assert (found.baseline, found.why) == (pytest.approx(20, rel=0.05), "no value tonight")


def test_a_metric_that_tonight_does_not_name_is_missing() -> None:
    now = tonight(12, WORSE)
    assert line(judge(history(12), now[now["metric"] != METRIC])).state == "missing"


def test_a_metric_that_is_long_gone_is_not_missed() -> None:
    before = pd.concat([history(45), series("message.old.p50", noisy(20))])
    assert "message.old.p50" not in {each.metric for each in judge(before, tonight(45, 20.0)).lines}


def test_a_suite_that_tonight_does_not_have_is_told() -> None:
    before = pd.concat([history(12), history(12, suite="database"), history(12, tier="stress")])
    assert judge(before, tonight(12, 20.0)).notes == (
        "full database: nothing was measured tonight, though earlier nights have it",
    )


def test_a_metric_never_seen_before_has_no_baseline() -> None:
    found = line(judge(history(12, "message.old.p50"), tonight(12, WORSE)))
    assert (found.state, found.why) == ("no baseline", "0 nights so far; 5 make a baseline")


def test_a_metric_with_gaps_has_the_nights_in_which_it_was_measured() -> None:
    values = [value if night % 3 == 0 else None for night, value in enumerate(noisy(45))]
    before = pd.concat([history(45)[lambda each: each["metric"] != METRIC], series(METRIC, values)])
    found = line(judge(before, tonight(45, WORSE)))
    assert (found.nights, found.state) == (15, "suspect")


def test_tonight_is_no_measurement() -> None:
    verdict = judge(history(12), tonight(12, WORSE).assign(valid=False))
    assert line(verdict).state == "missing"
    assert line(verdict).why == "tonight's measurement is not valid"
    assert verdict.notes == ("full websocket: tonight's measurement is not valid: nothing is compared",)


def test_of_tonights_blocks_only_the_valid_ones_count() -> None:
    blocks = pd.concat([tonight(12, 20.0), tonight(12, WORSE).assign(valid=False), tonight(12, 20.0)])
    assert line(judge(history(12), blocks)).state == "steady"


@pytest.mark.parametrize(
    ("value", "state", "why"),
    [
        (0.0, "steady", "zero, as in every earlier night"),
        (3.0, "no baseline", "it was zero in every earlier night: no relative change; hold it by a target"),
    ],
)
def test_a_baseline_of_zeros(value: float, state: str, why: str) -> None:
    before = pd.concat([history(12)[lambda each: each["metric"] != METRIC], series(METRIC, [0.0] * 12)])
    found = line(judge(before, tonight(12, value)))
    assert (found.state, found.why, found.baseline) == (state, why, 0.0)


@pytest.mark.parametrize(("value", "state"), [(20.0, "steady"), (20.9, "steady"), (21.2, "suspect")])
def test_a_baseline_that_never_moved_is_believed_to_one_percent(value: float, state: str) -> None:
    before = pd.concat([series(metric, [20.0] * 12) for metric in history(1)["metric"]])
    found = line(judge(before, tonight(12, value)))
    assert (found.state, found.noise) == (state, pytest.approx(0.01))


def test_an_epoch_that_has_just_begun_has_no_baseline() -> None:
    before = history(30, epoch=1)
    verdict = judge(before, tonight(30, WORSE, epoch=2))
    assert (line(verdict).state, line(verdict).nights) == ("no baseline", 0)
    assert [(left.nights, left.reason) for left in verdict.left_out] == [(30, "an earlier epoch")]


def test_nights_of_another_environment_are_no_baseline() -> None:
    before = history(12, fingerprint='{"kernel":"6.1","plan":"a"}')
    verdict = judge(before, tonight(12, WORSE, fingerprint='{"kernel":"6.8","plan":"b"}'))
    assert line(verdict).state == "no baseline"
    (left,) = verdict.left_out
    assert (left.nights, left.reason) == (12, "kernel 6.1 instead of 6.8, another plan")


def test_invalid_nights_are_no_baseline() -> None:
    before = history(12)
    invalid = before["night"] < "night-008"
    verdict = judge(before.assign(valid=~invalid), tonight(12, WORSE))
    assert (line(verdict).state, line(verdict).nights) == ("no baseline", 4)
    assert [(left.nights, left.reason) for left in verdict.left_out] == [(8, "invalid")]


@pytest.mark.parametrize(
    ("pinned", "state", "why"),
    [
        (3, "no baseline", "only 3 nights are pinned; 5 make a baseline"),
        (7, "provisional", "only 7 nights are pinned; a regression needs 10"),
        (25, "suspect", "not repeated"),
    ],
)
def test_a_pinned_set_is_the_baseline_however_small(pinned: int, state: str, why: str) -> None:
    before = history(40)
    verdict = judge(before.assign(pinned=before["night"] < f"night-{pinned:03}"), tonight(40, WORSE))
    assert (line(verdict).state, line(verdict).why, line(verdict).nights) == (state, why, pinned)
    assert [(left.nights, left.reason) for left in verdict.left_out] == [(40 - pinned, "not pinned")]
