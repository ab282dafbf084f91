"""Frames with what no frame of nights should have: each is refused by the name of its column, or has a stated answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from judged import METRIC, history, line, series, tonight

from nightbench.verdict import judge

Change = Callable[[pd.DataFrame], pd.DataFrame]

BEFORE, NOW = history(12), tonight(12, 24.0)
START = datetime(2026, 11, 1)  # noqa: DTZ001  # without a zone is what is tried


def began(frame: pd.DataFrame, zone: object = None) -> pd.DataFrame:
    days = pd.to_timedelta(frame["night"].str[-3:].astype(int), "D")
    return frame.assign(started_at=pd.Timestamp(START).tz_localize(zone) + days)


def first(frame: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """The frame with another first value in a column."""
    values = [value, *frame[column].iloc[1:]]
    return frame.assign(**{column: pd.Series(values, index=frame.index, dtype=object)})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f: f.assign(value=True), "the column value of history is of type bool"),
        (lambda f: f.assign(value=pd.array([True] * len(f), "boolean")), "value of history is of type bool"),
        (lambda f: f.assign(value=pd.Timestamp(START)), "value of history is of type datetime64"),
        (lambda f: f.assign(value=pd.Timestamp(START, tz=UTC)), "value of history is of type Timestamp"),
        (lambda f: f.assign(value=timedelta(1)), "value of history is of type timedelta64"),
        (lambda f: f.assign(value=1 + 2j), "value of history is of type complex"),
        (lambda f: first(f, "value", True), "value of history is of type bool"),
        (lambda f: first(f, "value", np.True_), "value of history is of type bool"),
        (lambda f: first(f, "value", START), "value of history is of type datetime"),
        (lambda f: first(f, "value", timedelta(1)), "value of history is of type timedelta"),
        (lambda f: f.assign(epoch=np.inf), "the column epoch of history holds inf, and whole"),
        (lambda f: f.assign(epoch=1.7e308), "epoch of history holds 1.7e\\+308, and whole"),
        (lambda f: f.assign(epoch=-np.inf), "epoch of history holds -inf"),
        (lambda f: f.assign(epoch=1.5), "epoch of history holds 1.5"),
        (lambda f: f.assign(epoch="new"), "epoch of history holds new"),
        (lambda f: f.assign(epoch=pd.Timestamp(START)), "epoch of history is of type datetime64"),
        (lambda f: pd.concat([f, f["value"]], axis=1), "history has the column value more than once"),
        (lambda f: first(f, "metric", None), "the column metric of history is empty in 1 of its rows"),
        (lambda f: f.assign(tier=np.nan), "the column tier of history is empty in 120"),
        (lambda f: first(f, "night", None), "the column night of history is empty in 1 of"),
    ],
)
def test_what_no_frame_has_is_refused_by_its_column(change: Change, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        judge(change(BEFORE), NOW)
    with pytest.raises(ValueError, match=problem.replace("history", "reruns")):
        judge(BEFORE, NOW, reruns=change(BEFORE))


@pytest.mark.parametrize(
    ("before", "now", "problem"),
    [
        (
            began(BEFORE),
            began(NOW, UTC),
            r"started_at, of type datetime64\[us\] in history, of type .*UTC. in tonight",
        ),
        (
            began(BEFORE, UTC),
            began(NOW),
            "order by started_at, of type .*UTC. in history, of type .* in tonight",
        ),
        (BEFORE.assign(started_at="2026-11-01"), began(NOW), "put in order by started_at"),
        (BEFORE.assign(started_at=5), began(NOW, UTC), "put in order by started_at"),
        (began(BEFORE), began(NOW).assign(started_at=pd.NaT), "started_at of tonight is empty"),
        (
            BEFORE.assign(started_at=None),
            began(NOW),
            "started_at of history is empty for the night night-000",
        ),
        (BEFORE, NOW.assign(night=None), "the column night of tonight is empty in 10 of"),
        (BEFORE, NOW.assign(night=5), "put in order by night, of type str in history"),
    ],
)
def test_nights_without_an_order_are_refused(before: pd.DataFrame, now: pd.DataFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        judge(before, now)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(value=f["value"].map(lambda value: Decimal(repr(float(value))))),
        lambda f: f.assign(value=f["value"].astype(object)),
        lambda f: f.assign(value=f["value"].astype("category")),
        lambda f: f.assign(epoch=7.0),
        lambda f: f.assign(epoch="7"),
        lambda f: began(f, UTC),
        lambda f: began(f, "Asia/Tokyo"),
        lambda f: f.assign(started_at=f["night"]),  # a text that sorts
    ],
)
def test_numbers_and_instants_in_another_type_are_what_they_are(change: Change) -> None:
    assert line(judge(change(BEFORE), change(NOW))) == line(judge(BEFORE, NOW))


@pytest.mark.parametrize(
    "nothing",
    [pd.DataFrame(), BEFORE.head(0), pd.DataFrame(columns=list(BEFORE.columns)), BEFORE[["night"]].head(0)],
)
def test_a_history_of_nothing_has_no_earlier_night(nothing: pd.DataFrame) -> None:
    if len(nothing.columns) == 1:
        with pytest.raises(ValueError, match="history lacks the columns suite, tier"):
            judge(nothing, NOW)
        return
    found = judge(nothing, NOW)
    assert {each.state for each in found.lines} == {"no baseline"}
    assert [note.split(":")[1] for note in found.notes] == [" no baseline yet"]


def test_tonight_without_anything_is_no_night() -> None:
    with pytest.raises(ValueError, match="tonight has to be one night, and its column `night` has 0"):
        judge(BEFORE, pd.DataFrame())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1.7e308, 5e-324, 1e-300])
def test_numbers_at_the_ends_of_what_there_is_raise_no_warning(size: float) -> None:
    values = [size, 0.99 * size] * 10
    found = line(judge(series(METRIC, values), series(METRIC, [size], first=20)))
    assert found.state in {"steady", "no baseline"}
