"""A goal is met or missed by its figure, and a figure that is missing misses it."""

import json

import pytest

from benchmarks.table import Figure, Goal, over_rounds, write_figures


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (2.0, Goal(">=", 2.0), True),
        (1.9, Goal(">=", 2.0), False),
        (20.0, Goal("<=", 20), True),
        (10.0, Goal("<", 10), False),
        (1.0, Goal("==", 0), False),
        (None, Goal("<=", 10), False),
        (5.0, None, None),
    ],
)
def test_whether_a_goal_is_met(value, goal, met):
    assert Figure("figure", value, goal=goal).met is met


def test_rounds_come_to_their_median_and_keep_their_spread():
    figure = over_rounds("ratio", [3.0, 1.0, 2.5], "×", Goal(">=", 2.0))
    assert (figure.value, figure.spread, figure.met) == (2.5, (1.0, 3.0), True)


def test_what_is_written_says_goal_and_figure(tmp_path):
    path = tmp_path / "out" / "memory.json"
    write_figures(path, [Figure("per user", 7.7, "KiB", Goal("<=", 20))], {"benchmark": "memory"})
    document = json.loads(path.read_text())
    assert document["benchmark"] == "memory"
    (row,) = document["figures"]
    assert (row["value"], row["goal"], row["met"]) == (7.7, "<= 20", True)
