"""A change that layer 4 tells some nights late: the nights since it are no baseline until somebody settles it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, line, tonight
from test_verdict_acknowledgement import NOW, at, mark, nights, said_of, told, where

from nightbench.history.marks import Mark
from nightbench.verdict import Policy, judge
from nightbench.verdict.acknowledgement import annotated

TOLD = (told(12, layer=4.0, since=8),)


@pytest.mark.parametrize("state", ["regression", "muted"])
def test_the_nights_since_a_change_are_flagged_for_the_metric_alone(state: str) -> None:
    frame = said_of(lines=(told(12, state=state, layer=4.0, since=8),))
    assert where(frame, "flagged_own") == where(frame, "flagged") == [8, 9, 10, 11, 12]
    regression = [12] if state == "regression" else []
    assert where(frame, "told") == where(frame, "flagged", OTHERS[0]) == regression
    assert where(frame, "flagged", suite="database") == []


def test_nights_of_another_environment_are_no_part_of_it() -> None:
    frame = nights().assign(fingerprint="one")
    frame.loc[frame["night"].eq("night-010"), "fingerprint"] = "another"
    found = said_of(lines=TOLD, frame=frame)
    assert where(found, "flagged_own") == [8, 9, 11, 12]


def test_lines_from_before_they_said_since_when_flag_their_own_night() -> None:
    stored = pd.DataFrame(list(TOLD)).drop(columns="since")
    found = annotated(nights(), [], stored, tonight="night-020", now=NOW)
    assert where(found, "flagged_own") == [12]


@pytest.mark.parametrize(
    ("mark", "flagged"),
    [
        (mark("accept", 12, METRIC, said=13), []),
        (mark("accept", 8, METRIC, said=13), []),
        (mark("accept", 13, METRIC, said=13), [8, 9, 10, 11, 12]),
        (mark("accept", 12, OTHERS[0], said=13), [8, 9, 10, 11, 12]),
        (mark("epoch", 8, said=13), [12]),
        (mark("epoch", 6, said=13), [12]),
        (mark("epoch", 4, said=13), [8, 9, 10, 11, 12]),
        (mark("epoch", 8, said=11), [8, 9, 10, 11, 12]),
        (mark("invalid", 12, said=13), []),
        (mark("invalid", 10, said=13), [8, 9, 10, 11, 12]),
        (mark("invalid", 10, said=11), [8, 9, 11, 12]),
    ],
)
def test_who_settles_it_unflags_them(mark: Mark, flagged: list[int]) -> None:
    assert where(said_of(mark, lines=TOLD), "flagged_own") == flagged


@pytest.mark.parametrize(("together", "flagged"), [(3, [8, 9, 10, 11, 12]), (4, [12])])
def test_how_late_a_change_may_stand_says_the_policy(together: int, flagged: list[int]) -> None:
    begun = mark("epoch", 4, said=13)
    frame = said_of(begun, lines=TOLD, policy=Policy(change_together=together))
    assert where(frame, "flagged_own") == flagged


def test_what_an_invalid_night_told_may_be_told_again() -> None:
    assert where(said_of(mark("invalid", 12, said=13), lines=TOLD), "told") == []
    of_tonight = (told(12, layer=2.0),)
    assert where(said_of(mark("invalid", 12, said=13), lines=of_tonight), "told") == [12]


SINCE, SLOWER = 26, 1.06
"""A little more than matters: no night and no three of them show it at first."""


class _Nights:
    """Nights that are judged one after the other, and what was said of them."""

    def __init__(self) -> None:
        both = history(36)
        slow = both["metric"].eq(METRIC) & (both["night"] >= f"night-{SINCE:03}")
        both["value"] *= np.where(slow, SLOWER, 1.0)
        self._rows = both.assign(started_at=[at(int(night[-3:])) for night in both["night"]])
        self._lines = pd.DataFrame(columns=list(told(0)))

    def judged(self, night: int, *marks: Mark) -> tuple[str, int | None, str | None, int]:
        """State, layer, since and nights of the baseline; stored for the nights after it."""
        name = f"night-{night:03}"
        rows = self._rows[self._rows["night"] <= name]
        frame = annotated(rows, marks, self._lines, tonight=name, now=NOW)
        ours = frame["night"].eq(name)
        verdict = judge(frame[~ours], frame[ours], reruns=rows[rows["night"].eq(name)])
        lines = verdict.to_frame().assign(night=name, judged_at=at(night) + timedelta(hours=1))
        self._lines = pd.concat([self._lines, lines[self._lines.columns]])
        found = line(verdict)
        return found.state, found.layer, found.since, found.nights


def test_a_change_that_nobody_settled_is_held_against_the_old_level() -> None:
    past = _Nights()
    said = [past.judged(night) for night in range(SINCE + 2, 36)]
    assert said[1][:3] == ("regression", 4, f"night-{SINCE:03}")
    after = [(state, layer) for state, layer, *_ in said[3:]]
    assert {state for state, _ in after} == {"regression"}
    assert {layer for _, layer in after} <= {2, 3}  # it is told by its history once


def test_a_change_that_was_accepted_is_the_new_level() -> None:
    past = _Nights()
    assert past.judged(SINCE + 3)[0] == "regression"
    later = SINCE + 8
    assert past.judged(later, mark("accept", SINCE, METRIC, said=SINCE + 3))[3] == later - SINCE
    assert past.judged(later)[3] == 20


def test_with_few_nights_before_the_change_a_note_says_what_is_open() -> None:
    frame = history(14, noise=0.01)
    own = frame["metric"].eq(METRIC) & frame["night"].between("night-006", "night-013")
    frame = frame.assign(value=frame["value"] * np.where(own, 1.3, 1.0), flagged=own, flagged_own=own)
    verdict = judge(frame.assign(told=own & frame["night"].eq("night-013")), tonight(14, 26.0))
    assert line(verdict).state == "provisional"
    (note,) = [note for note in verdict.notes if "settled" in note]
    assert note.endswith("its baseline is gone (only 6 nights before it are left)")


def test_since_is_of_a_regression_of_layer_4_alone() -> None:
    found = judge(history(20), tonight(20, 26.0), reruns=tonight(20, 26.0))
    assert line(found).layer == 2
    assert {each.since for each in found.lines} == {None}
