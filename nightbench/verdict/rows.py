"""The rows of a tidy frame that count, each column of the type that it has to be, and the nights in their order."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

REQUIRED = ("night", "suite", "tier", "metric", "value", "valid")
_NAMES = ("suite", "tier", "metric")
_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, date, timedelta, np.datetime64, np.timedelta64)
_LARGEST = 2**53
"""Beyond, a float cannot tell one whole number from the next."""


def rows_of(frame: pd.DataFrame, name: str, *, of_the_night: bool) -> pd.DataFrame:
    """The rows of `frame` that count; of two of one run and metric the last.

    Numbers may be written as text or be Decimals; a value that is none is missing (NaN), as an infinite one is later.
    A frame without any column has no rows.

    Args:
        frame: As `nightbench.verdict.judge` takes it.
        name: What it is called in errors.
        of_the_night: Rows of another role than ``night`` do not count.

    Raises:
        ValueError: naming the column that is missing, is there twice, or holds what it cannot.
    """
    if frame.columns.empty:
        frame = pd.DataFrame(columns=list(REQUIRED))
    if twice := sorted({str(column) for column in frame.columns[frame.columns.duplicated()]}):
        raise ValueError(f"{name} has the column {twice[0]} more than once")
    if missing := [column for column in REQUIRED if column not in frame.columns]:
        raise ValueError(
            f"{name} lacks {'the columns' if missing[1:] else 'the column'} {', '.join(missing)}"
        )
    if of_the_night and "role" in frame:
        frame = frame[frame["role"].eq("night")]
    for column in ("night", *_NAMES):
        if empty := int(frame[column].isna().sum()):
            raise ValueError(f"the column {column} of {name} is empty in {empty} of its rows")
    if "run_id" in frame:
        frame = frame.drop_duplicates([*REQUIRED[:4], "run_id"], keep="last")
    typed: dict[str, Any] = {column: frame[column].astype(str) for column in _NAMES}
    if "epoch" in frame:
        typed["epoch"] = _whole(frame["epoch"], name)
    return frame.assign(value=_numbers(frame["value"], name), valid=truth(frame["valid"]), **typed)


def truth(column: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Where the column says yes, as a bool, a number or a word."""
    if column.dtype == bool:
        return column.to_numpy()
    return column.map(lambda value: str(value).lower() in {"true", "1", "1.0"}).to_numpy(dtype=bool)


def ordered(
    before: pd.DataFrame, now: pd.DataFrame, tonight: Hashable
) -> tuple[pd.DataFrame, list[Hashable]]:
    """The rows of earlier nights, and all nights, oldest first and tonight last.

    Raises:
        ValueError: when a beginning is missing, or beginnings or names cannot be compared.
    """
    before = before[before["night"] != tonight]
    begun = "started_at" in before and "started_at" in now
    if before.empty:
        return before, [tonight]
    try:
        order = _by_beginning(before, now) if begun else _by_name(before, tonight)
    except TypeError as error:
        by = "started_at" if begun else "night"
        types = f"of type {before[by].dtype} in history, of type {now[by].dtype} in tonight"
        raise ValueError(f"the nights cannot be put in order by {by}, {types}: {error}") from error
    return before[before["night"].isin(order)], [*order, tonight]


def _by_beginning(before: pd.DataFrame, now: pd.DataFrame) -> list[Hashable]:
    began = before.groupby("night", sort=False)["started_at"].min()
    start = now["started_at"].min()
    if pd.isna(start):
        raise ValueError("the column started_at of tonight is empty")
    if (empty := began.isna()).any():
        raise ValueError(f"the column started_at of history is empty for the night {began.index[empty][0]}")
    return list(began[began < start].sort_values(kind="stable").index)


def _by_name(before: pd.DataFrame, tonight: Hashable) -> list[Hashable]:
    return sorted(night for night in before["night"].unique() if night < tonight)


def _numbers(column: pd.Series[Any], frame: str) -> pd.Series[float]:
    """The column as floats, NaN for what is no number."""
    kinds = {type(value) for value in column} if column.dtype == object else {column.dtype.type}
    if odd := sorted(kind.__name__ for kind in kinds if issubclass(kind, _NO_NUMBERS)):
        raise ValueError(f"the column {column.name} of {frame} is of type {odd[0]}, and numbers are needed")
    return pd.to_numeric(column, errors="coerce").astype(float)


def _whole(column: pd.Series[Any], frame: str) -> pd.Series[int]:
    """The column as whole numbers, 0 where it is empty."""
    numbers = _numbers(column, frame)
    odd = (numbers.isna() & column.notna()) | (numbers.notna() & ~(numbers.abs() <= _LARGEST))
    odd |= numbers.notna() & (numbers != numbers.round())
    for value in column[odd]:
        raise ValueError(f"the column {column.name} of {frame} holds {value}, and whole numbers are needed")
    return numbers.fillna(0).astype(np.int64)
