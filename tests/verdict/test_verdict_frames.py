"""Frames as people have them: out of order, doubled, with odd values; and frames that cannot be judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import METRIC, history, line, noisy, series, tonight

from nightbench.verdict import judge


def nights_of(frame: pd.DataFrame) -> pd.Series:
    return frame["night"].str[-3:].astype(int)


@pytest.mark.parametrize(
    ("before", "now", "problem"),
    [
        (history(3).drop(columns="valid"), tonight(3, 1.0), "history lacks the column valid"),
        (
            history(3),
            tonight(3, 1.0)[["night", "value"]],
            "tonight lacks the columns suite, tier, metric, valid",
        ),
        (history(3), history(2), "tonight has to be one night, and its column `night` has 2"),
        (history(3), tonight(3, 1.0).head(0), "tonight has to be one night, and its column `night` has 0"),
        (history(3).assign(night=1), tonight(3, 1.0), "the nights cannot be put in order"),
    ],
)
def test_what_cannot_be_judged_says_why(before: pd.DataFrame, now: pd.DataFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        judge(before, now)


def test_repetitions_without_a_column_say_so() -> None:
    with pytest.raises(ValueError, match="reruns lacks the column value"):
        judge(history(12), tonight(12, 24.0), reruns=tonight(12, 24.0).drop(columns="value"))


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.sample(frac=1, random_state=1),
        lambda frame: pd.concat([frame, frame]),
        lambda frame: frame.assign(value=frame["value"].astype(str)),
        lambda frame: frame.assign(valid="True"),
        lambda frame: frame.assign(valid=1),
        lambda frame: frame.assign(night=pd.Categorical(frame["night"])),
        lambda frame: frame.assign(night=nights_of(frame)),
        lambda frame: frame.assign(
            night=pd.to_datetime("2026-11-01") + pd.to_timedelta(nights_of(frame), "D")
        ),
        lambda frame: frame.assign(role="night"),
        lambda frame: frame.set_index(["night", "metric"], drop=False),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.assign(flagged=None, epoch=None, pinned=np.nan, muted=None, fingerprint=None),
    ],
)
def test_the_same_nights_in_another_shape_are_judged_the_same(change) -> None:
    before, now = history(15), tonight(15, 23.0)
    expected, found = judge(before, now), judge(change(before), change(now))
    assert line(found) == line(expected)
    assert found.notes == ()


def test_nights_sort_by_when_they_began_where_that_is_known() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    before, now = history(15), tonight(15, 23.0)
    names = {f"night-{number:03}": f"name-{(number * 7) % 16:03}" for number in range(16)}
    began = {name: start + timedelta(days=number) for number, name in enumerate(names)}
    renamed = [
        frame.assign(started_at=frame["night"].map(began), night=frame["night"].map(names))
        for frame in (before, now)
    ]
    assert line(judge(*renamed)) == line(judge(before, now))


@pytest.mark.parametrize("role", ["rerun", "calibration"])
def test_runs_of_another_role_do_not_count(role: str) -> None:
    before = pd.concat([history(12).assign(role="night"), history(12).assign(role=role, value=99.0)])
    now = pd.concat([tonight(12, 24.0).assign(role="night"), tonight(12, 99.0).assign(role=role)])
    found = line(judge(before, now, reruns=now[now["role"] == role]))
    assert (found.value, found.baseline) == (24.0, pytest.approx(20, rel=0.02))


def test_of_two_rows_of_one_run_the_last_counts() -> None:
    runs = [tonight(12, value).assign(run_id=run) for value, run in ((24.0, "a"), (99.0, "b"), (20.0, "b"))]
    assert line(judge(history(12).assign(run_id="x"), pd.concat(runs))).value == 22.0


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, None, "broken", -5.0, 0.0])
def test_an_odd_value_in_the_baseline_does_not_spoil_it(odd: object) -> None:
    values: list[object] = list(noisy(20))
    values[4] = odd
    before = pd.concat([history(20)[lambda each: each["metric"] != METRIC], series(METRIC, values)])
    assert line(judge(before, tonight(20, 20.0))).state == "steady"
    assert line(judge(before, tonight(20, 26.0))).state == "suspect"


def test_a_fingerprint_that_is_not_known_is_not_compared() -> None:
    before = history(12, fingerprint='{"cores":"2"}')
    before.loc[before["night"] < "night-002", "fingerprint"] = None
    found = judge(before, tonight(12, 24.0, fingerprint='{"cores":"2"}'))
    assert [(left.nights, left.reason) for left in found.left_out] == [(2, "its environment is not known")]
    assert judge(before, tonight(12, 24.0)).left_out == ()  # tonight's is not known: all are compared


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ('{"cores":"4","cpu":"x"}', "cores 4 instead of 2"),
        ('{"cpu":"x"}', "cores unknown instead of 2"),
        (
            '{"cores":"2","cpu":"x","fleet":"Dask of 1 machine"}',
            "fleet Dask of 1 machine instead of this machine alone",
        ),
        ('{"cores":"2","cpu":"' + "y" * 99 + '"}', f"cpu {'y' * 39}… instead of x"),
        ("some text", "another environment"),
        ("[1]", "another environment"),
    ],
)
def test_how_environments_differ_is_said(then: str, reason: str) -> None:
    verdict = judge(history(3, fingerprint=then), tonight(3, 1.0, fingerprint='{"cores":"2","cpu":"x"}'))
    assert [left.reason for left in verdict.left_out] == [reason]


@given(scale=st.floats(1e-6, 1e9), value=st.floats(5, 80), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_a_unit_changes_nothing(scale: float, value: float, seed: int) -> None:
    values = noisy(12, seed=seed)
    one = line(judge(series(METRIC, values), series(METRIC, [value], first=12)))
    other = line(judge(series(METRIC, values * scale), series(METRIC, [value * scale], first=12)))
    assert other.state == one.state
    assert (other.effect, other.p, other.noise) == pytest.approx((one.effect, one.p, one.noise), rel=1e-6)


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), min_size=0, max_size=30),
    st.one_of(st.none(), st.floats()),
)
@settings(max_examples=40)
def test_whatever_was_measured_there_is_one_line_and_no_number_that_is_none(values, value) -> None:
    found = line(judge(series(METRIC, values), series(METRIC, [value], first=len(values))))
    numbers = (found.value, found.effect, found.low, found.high, found.p, found.p_adjusted, found.noise)
    assert all(number is None or np.isfinite(number) for number in numbers)
    if found.value is None:
        assert found.state in {"missing", "no baseline"}
