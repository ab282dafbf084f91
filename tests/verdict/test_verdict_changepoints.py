"""What is said of a series: the answers that the documentation states, one by one."""

import math

import numpy as np
import pandas as pd
import pytest

from nightbench.verdict import change_points

QUIET = 100 * np.exp(0.02 * np.random.default_rng(0).standard_normal(60))


def raised(*nights, by=1.5, series=QUIET):
    """`series` with some of its values multiplied."""
    values = series.copy()
    values[list(nights)] *= by
    return values


def stepped(at=40, by=1.1, series=QUIET):
    return raised(*range(at, len(series)), by=by, series=series)


def indices(values, **how):
    return [point.index for point in change_points(values, **how)]


@pytest.mark.parametrize("by", [1.1, 0.9, 1.2, 3])
@pytest.mark.parametrize("at", [3, 20, 40, 57])
def test_a_step_is_found_where_it_is(at, by):
    (point,) = change_points(stepped(at, by))
    assert abs(point.index - at) <= 1
    assert point.effect == pytest.approx(by - 1, abs=0.05 * by)
    assert point.p <= 1e-4


@pytest.mark.parametrize(("by", "worse"), [(1.1, True), (0.9, False)])
def test_which_direction_is_worse_is_the_metric_s(by, worse):
    assert change_points(stepped(by=by))[0].worse is worse
    assert change_points(stepped(by=by), higher_is_worse=False)[0].worse is not worse


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("nothing at all", []),
        ("three values", [100, 120, 140]),
        ("five values", [100, 100, 100, 200, 200]),
        ("constant", [5.0] * 50),
        ("constant 0", [0] * 50),
        ("constant, negative", [-3] * 50),
        ("nothing known", [None, math.nan, math.inf, -math.inf] * 10),
        ("three known values", [1.0, None, None, 2.0, math.nan, 2.0, None]),
        ("noise", QUIET),
        ("noise below what is believed", [100, 100.1, 99.9] * 20),
        ("a spike", raised(30)),
        ("a spike at the end", raised(59)),
        ("a spike at the start", raised(0)),
        ("two at the end", raised(58, 59)),
        ("two at the start", raised(0, 1)),
        ("two in a row", raised(30, 31)),
        ("two high ones at the end", raised(58, 59, by=1e9)),
        ("two low ones at the end", raised(58, 59, by=0.01)),
        ("three of the last four", raised(56, 57, 59)),
        ("a spell of three", raised(30, 31, 32)),
        ("a spell of four, low", raised(30, 31, 32, 33, by=0.5)),
        ("two spikes, and two again", raised(30, 31, 34, 35)),
        ("the same, further apart", raised(30, 31, 35, 36)),
        (
            "three nights as of a spell before",
            raised(57, 58, 59, by=1.12, series=raised(*range(40, 44), by=1.12)),
        ),
        ("one 0", raised(30, by=0)),
        ("a 0 at the end", raised(59, by=0)),
        ("one negative value", raised(30, by=-1)),
        ("a gentle slope", QUIET * np.exp(0.001 * np.arange(60))),
        ("a steady slope", 100 * np.exp(0.005 * np.arange(60))),
        ("a step of less than the magnitude", stepped(by=1.03)),
        ("a step that is two nights old", stepped(at=58)),
        ("counts that are rarely not 0", [0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 3, 0]),
    ],
)
def test_no_lasting_change(what, values):
    assert change_points(values) == [], what


def test_the_third_night_of_a_step_tells():
    assert indices(stepped(at=57)) == [57]


def test_a_level_that_lasts_is_left_and_returned_to():
    assert indices(raised(*range(20, 30))) == [20, 30]


def test_stairs_are_taken_one_by_one():
    assert indices(raised(*range(30, 60), series=raised(*range(25, 60)))) == [25, 30]


def test_more_than_a_spell_before_tells():
    assert indices(raised(57, 58, 59, by=1.3, series=raised(*range(40, 44), by=1.12))) == [57]


def test_a_spell_inside_hides_no_step():
    assert indices(raised(15, 16, 17, series=stepped())) == [40]


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
def test_what_is_missing_counts_for_the_index_alone(missing):
    values = list(stepped(at=40))
    values[10] = values[40] = missing
    assert indices(values) == [41]


def test_missing_values_of_pandas():
    values = pd.Series([*stepped(at=40), None], dtype="Float64")
    assert values.isna().any()
    assert indices(values) == [40]


@pytest.mark.parametrize(
    ("what", "values", "index", "effect"),
    [
        ("all negative", -stepped(), 40, -0.11),
        ("through 0", np.concatenate([-QUIET[:30], QUIET[:30]]), 30, 2.0),
        ("down to 0", np.concatenate([QUIET[:40], np.zeros(3)]), 40, -1.0),
        ("up from 0", np.concatenate([np.zeros(40), QUIET[:3]]), 40, math.inf),
        ("a share that falls", [1.0] * 20 + [0.9] * 4, 20, -0.1),
        ("a 0 beside a step", raised(20, by=0, series=stepped()), 40, 0.11),
        ("counts", [0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 5, 4, 6, 5, 7], 13, None),
    ],
)
def test_zeros_and_negative_values(what, values, index, effect):
    (point,) = change_points(values)
    assert point.index == index, what
    assert effect is None or point.effect == pytest.approx(effect, abs=0.01), what


@pytest.mark.parametrize(
    ("low", "high"), [(1e-300, 1e300), (5e-324, 1.7e308), (-1.7e308, 1.7e308), (0, 5e-324), (-5e-324, 1e300)]
)
def test_numbers_at_the_ends_of_what_there_is(low, high):
    (point,) = change_points([low] * 10 + [high] * 10)
    assert point.index == 10
    assert point.effect > 0


def test_how_strict_it_is_can_be_said():
    assert indices(stepped(), magnitude=0.15) == []
    assert indices(stepped(by=1.03)) == []
    assert indices(stepped(by=1.03), magnitude=0.015) == [41]  # the noise has it a night later
    assert indices(stepped(at=51), segment=9) == [51]
    assert all(index <= 48 for index in indices(stepped(at=51), segment=12))
    assert indices(stepped(at=57), largest_p=1e-12) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (5.0, "one value a night"),
        ([[1.0, 2.0], [3.0, 4.0]], "shape"),
        (["fast"], "could not convert"),
    ],
)
def test_what_is_no_series_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        change_points(values)


def test_a_level_needs_three_values():
    with pytest.raises(ValueError, match="segment = 2"):
        change_points(QUIET, segment=2)
