"""A host that is another from some night on, and the nights of another speed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from judged import METRIC, history, line, series, tonight
from test_verdict_host import CPU, is_off, quiet, verdict

from nightbench.verdict import judge


def test_what_was_measured_on_another_host_speed_is_no_baseline() -> None:
    calibrations = [*quiet(14), 50.0]
    calibrations[3], calibrations[7] = 90.0, 30.0
    found = verdict(calibrations)
    assert (line(found).state, line(found).nights) == ("regression", 12)
    assert [(left.nights, left.reason) for left in found.left_out] == [(2, "noisy host")]


@pytest.mark.parametrize("before", [9, 20, 40])
@pytest.mark.parametrize("level", [65.0, 40.0])
def test_a_host_that_stays_another_is_the_normal_one_after_five_nights(before: int, level: float) -> None:
    found = [verdict([*quiet(before), *quiet(changed, level=level)]) for changed in (1, 3, 5, 6, 8)]
    assert [is_off(each) for each in found] == [True] * 3 + [False] * 2
    nights = [line(each).nights for each in found]
    assert nights == [min(before, 20)] * 3 + [5, 7]  # the nights of the old host are no baseline any more


def test_of_two_changes_within_twenty_nights_the_last_is_the_normal_one() -> None:
    path = [*quiet(6), *quiet(7, level=65.0), *quiet(6, level=85.0)]
    found = verdict([*path, 85.0])
    assert (is_off(found), line(found).nights) == (False, 6)
    assert is_off(verdict([*path, 65.0]))


def test_a_night_of_the_old_speed_does_not_end_the_new_one() -> None:
    path = [*quiet(20), *quiet(8, level=70.0), 50.0, *quiet(4, level=70.0)]
    assert [is_off(verdict(path[: night + 1])) for night in range(28, 33)] == [True] + [False] * 4


def test_a_host_that_goes_back_is_what_it_was_after_three_nights() -> None:
    path = [*quiet(12), *quiet(8, level=70.0), *quiet(6)]
    found = [verdict(path[: night + 1]) for night in range(20, 26)]
    assert [is_off(each) for each in found] == [True] * 3 + [False] * 3
    assert line(found[3]).nights == 12 + 3


def test_spells_of_another_speed_are_no_new_level() -> None:
    path = quiet(24)
    for spell in ((3, 4), (9, 10, 11, 12), (20, 21)):
        for night in spell:
            path[night] *= 1.3
    assert not is_off(verdict([*path, 50.0]))
    assert is_off(verdict([*path, 66.0]))


@pytest.mark.parametrize(("nights", "counted"), [(19, 19), (20, 20), (30, 20)])
def test_these_days_are_twenty_nights_at_most(nights: int, counted: int) -> None:
    (note,) = verdict([*quiet(nights), 60.0]).notes
    assert f"off its median of {counted} nights" in note


def test_three_bad_nights_of_which_one_was_the_hosts_are_not_sustained() -> None:
    past = pd.concat([history(14), series(CPU, quiet(14))])
    past.loc[past["metric"].eq(METRIC) & (past["night"] >= "night-012"), "value"] = [21.3, 24.0]
    past.loc[past["metric"].eq(CPU) & past["night"].eq("night-013"), "value"] = 80.0
    now = pd.concat([tonight(14, 20.0), series(CPU, [50.0], first=14)])
    assert line(judge(past, now)).state == "steady"


@pytest.mark.parametrize("odd", [0.0, -1.0, np.nan, np.inf])
def test_a_calibration_that_is_no_time_is_none(odd: float) -> None:
    path = [*quiet(12), 50.0]
    path[4] = odd
    assert verdict(path).notes == ()
    assert verdict([*quiet(12), odd]).notes == ()
