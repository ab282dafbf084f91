"""Nights in which the host itself was off, and a host that is another from some night on."""

from __future__ import annotations

import pandas as pd
import pytest
from judged import METRIC, history, line, noisy, series, tonight

from nightbench.verdict import Verdict, judge

CPU = "calibration.cpu_time"


def verdict(calibrations: list[float | None], *, value: float = 24.0, again: float | None = 24.0) -> Verdict:
    """Nights with these calibrations, the last of them tonight, in which the metric is worse."""
    last = len(calibrations) - 1
    past = pd.concat([history(last), series(CPU, calibrations[:-1])])
    now = pd.concat([tonight(last, value), series(CPU, calibrations[-1:], first=last)])
    return judge(past, now, reruns=None if again is None else tonight(last, again))


def quiet(count: int, level: float = 50.0) -> list[float]:
    return list(noisy(count, level=level, noise=0.01, seed=5))


@pytest.mark.parametrize("tonights", [60.0, 40.0])
def test_on_a_host_that_is_off_nothing_is_a_regression(tonights: float) -> None:
    found = verdict([*quiet(12), tonights])
    assert (line(found).state, line(found).why) == ("noisy", "the host itself was off tonight")
    assert found.regressions == ()
    (note,) = found.notes
    assert note.startswith("full websocket: noisy host: calibration.cpu_time is ")
    assert ("+2" in note) == (tonights > 50)


@pytest.mark.parametrize("tonights", [50.0, 54.0, None])
def test_on_a_host_that_is_itself_a_regression_is_one(tonights: float | None) -> None:
    found = verdict([*quiet(12), tonights])
    assert (line(found).state, found.notes) == ("regression", ())


def test_an_improvement_is_not_believed_either() -> None:
    assert line(verdict([*quiet(12), 80.0], value=16.0)).state == "noisy"


def test_a_calibration_that_is_noisy_itself_needs_more() -> None:
    wild = list(noisy(20, level=50.0, noise=0.2, seed=5))
    assert line(verdict([*wild, 65.0])).state == "regression"


@pytest.mark.parametrize(("nights", "state"), [(4, "regression"), (5, "noisy")])
def test_fewer_than_five_calibrations_know_nothing(nights: int, state: str) -> None:
    assert line(verdict([*[None] * (15 - nights), *quiet(nights), 80.0])).state == state


def test_what_was_measured_on_another_host_speed_is_no_baseline() -> None:
    calibrations = [*quiet(14), 50.0]
    calibrations[3] = calibrations[7] = 90.0
    found = verdict(calibrations)
    assert (line(found).state, line(found).nights) == ("regression", 12)
    assert [(left.nights, left.reason) for left in found.left_out] == [(2, "noisy host")]


def test_a_host_that_stays_slower_is_the_normal_one_after_some_nights() -> None:
    states, nights = [], []
    for slower in range(1, 13):
        found = verdict([*quiet(20), *quiet(slower, level=65.0)])
        states.append(line(found).state)
        nights.append(line(found).nights)
    assert states[:4] == ["noisy"] * 4
    assert states[6:9] == ["provisional"] * 3  # the nights of the old host are no baseline any more
    assert states[11] == "regression"
    assert nights[10:] == [10, 11]


def test_only_the_suite_whose_host_was_off_is_excused() -> None:
    past = pd.concat([history(12), history(12, suite="database"), series(CPU, quiet(12))])
    now = pd.concat([tonight(12, 24.0), tonight(12, 24.0, suite="database"), series(CPU, [80.0], first=12)])
    found = judge(past, now)
    assert (line(found).state, line(found, suite="database").state) == ("noisy", "suspect")


def test_the_calibration_itself_never_gates() -> None:
    found = line(verdict([*quiet(12), 80.0]), CPU)
    assert (found.state, found.gates) == ("informs", False)


def test_three_bad_nights_of_which_one_was_the_hosts_are_not_sustained() -> None:
    past = pd.concat([history(14), series(CPU, quiet(14))])
    past.loc[past["metric"].eq(METRIC) & (past["night"] >= "night-012"), "value"] = [21.3, 24.0]
    past.loc[past["metric"].eq(CPU) & past["night"].eq("night-013"), "value"] = 80.0
    now = pd.concat([tonight(14, 20.0), series(CPU, [50.0], first=14)])
    assert line(judge(past, now)).state == "steady"
