"""What people and earlier judgements say about nights, as columns of the tidy frame: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightbench.verdict.frames import numbered
from nightbench.verdict.panel import Bools
from nightbench.verdict.patterns import matches_any
from nightbench.verdict.policy import Policy

_SUSTAINED = 3
_BEFORE = Policy.sustained_nights - 1
"""Nights before the last that the sustained layer looks at."""

_T = TypeVar("_T", bound=np.generic)


class Mark(Protocol):
    """One statement about one run, as `nightbench.history.marks.Mark` is; `metrics` may be patterns, none means all."""

    @property
    def kind(self) -> str: ...
    @property
    def suite(self) -> str: ...
    @property
    def tier(self) -> str: ...
    @property
    def night_id(self) -> str: ...
    @property
    def metrics(self) -> Sequence[str]: ...
    @property
    def at(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


def annotated(
    nights: pd.DataFrame, marks: Iterable[Mark], lines: pd.DataFrame, *, tonight: str, now: datetime
) -> pd.DataFrame:
    """`nights` with the columns ``flagged``, ``told``, ``epoch``, ``pinned`` and ``muted``, and ``valid`` as it is now.

    A regression flags the whole suite and tier of its night; a muted one its own metric; one that the sustained
    layer found also its metric in the nights before that were looked at. ``accept`` begins an epoch of the
    metrics it names, all when it names none, with its night; of what was said about them since that night
    nothing counts any more, and they are unflagged. Where all regressions of a night are accepted, nothing of
    it is flagged. ``epoch`` begins one too and unflags nothing. ``invalid`` makes the night of that suite and
    tier no measurement. Of ``pin`` and ``unpin`` the last counts, and of two mutes of a metric the later one;
    a mute holds until its date.

    Args:
        nights: Tidy, tonight's rows may be among them: ``night, suite, tier, metric, valid``.
        marks: Of one environment, in any order.
        lines: Stored lines of the same: ``night, suite, tier, metric, state, layer, judged_at``; the last
            judgement of each night.
        tonight: The night that is to be judged; what was said of it or later nights by a verdict is left out.
        now: For what is muted.
    """
    sheet = _Sheet(nights)
    said = sorted(marks, key=lambda mark: mark.at)
    flagged, told = _flags(sheet, lines, [mark for mark in said if mark.kind == "accept"], tonight)
    epoch = np.zeros(sheet.shape, dtype=np.int64)
    pinned, invalid = np.zeros(sheet.shape, dtype=bool), np.zeros(sheet.shape, dtype=bool)
    muted = np.zeros(sheet.shape[1], dtype=bool)
    for mark in said:
        columns, night = sheet.about(mark), sheet.row(mark.night_id)
        if mark.kind in {"accept", "epoch"}:
            epoch[sheet.place(mark.night_id) :, columns] += 1
        elif mark.kind == "mute":
            muted[columns] = mark.until is None or now < mark.until
        elif mark.kind in {"pin", "unpin"}:
            pinned[night, columns] = mark.kind == "pin"
        elif mark.kind == "invalid":
            invalid[night, columns] = True
    return nights.assign(
        valid=nights["valid"].to_numpy() & ~sheet.rows(invalid),
        flagged=sheet.rows(flagged),
        told=sheet.rows(told),
        epoch=sheet.rows(epoch),
        pinned=sheet.rows(pinned),
        muted=muted[sheet.column],
    )


class _Sheet:
    """The rows of a frame by number of night and of metric, and back."""

    def __init__(self, frame: pd.DataFrame) -> None:
        by = "started_at" if "started_at" in frame else "night"
        begun = frame.groupby("night", sort=True)[by].min().sort_values(kind="stable")
        self._nights = {str(night): number for number, night in enumerate(begun.index)}
        self._position = frame["night"].astype(str).map(self._nights).to_numpy(dtype=np.int64)
        self.column, self.names = numbered(frame[["suite", "tier", "metric"]])
        self.shape = (len(self._nights), len(self.names))

    def rows(self, cells: npt.NDArray[_T]) -> npt.NDArray[_T]:
        """What each row of the frame has of `cells`, of nights by metrics."""
        return cells[self._position, self.column]

    def row(self, night: str) -> slice:
        """The night's own place, none when it is not here."""
        place = self._nights.get(night)
        return slice(0) if place is None else slice(place, place + 1)

    def place(self, night: str) -> int:
        """Where a night stands, or would stand: names of nights sort by time."""
        place = self._nights.get(night)
        return sum(other < night for other in self._nights) if place is None else place

    def about(self, mark: Mark) -> Bools:
        """Which metrics a mark names; shape (m,)."""
        return np.array([_concerns(mark, *name) for name in self.names], dtype=bool)

    def about_any(self, marks: Iterable[Mark]) -> Bools:
        """Which metrics one of `marks` names; shape (m,)."""
        none = np.zeros(self.shape[1], dtype=bool)
        return np.asarray(np.logical_or.reduce([none, *map(self.about, marks)]))

    def of(self, *name: str) -> Bools:
        """The metrics of a suite and tier, or of a whole name; shape (m,)."""
        return np.array([each[: len(name)] == name for each in self.names], dtype=bool)


def _concerns(mark: Mark, suite: str, tier: str, metric: str) -> bool:
    if (mark.suite, mark.tier) != (suite, tier):
        return False
    return not mark.metrics or matches_any(mark.metrics, metric)


@dataclass(frozen=True)
class _Told:
    """What a stored line said."""

    night: str
    suite: str
    tier: str
    metric: str
    state: str
    layer: float
    judged_at: datetime


def _told_before(lines: pd.DataFrame) -> Iterator[_Told]:
    """The lines that said worse."""
    worse = lines[lines["state"].isin(["regression", "muted"])]
    for row in worse[[field.name for field in fields(_Told)]].to_dict("records"):
        yield _Told(**{str(name): value for name, value in row.items()})


def _flags(sheet: _Sheet, lines: pd.DataFrame, accepts: Sequence[Mark], tonight: str) -> tuple[Bools, Bools]:
    """Where a night is flagged, and where the regression itself was told."""
    flagged, told = np.zeros(sheet.shape, dtype=bool), np.zeros(sheet.shape, dtype=bool)
    for line in _told_before(lines):
        place = sheet.place(line.night)
        if place >= sheet.place(tonight):
            continue
        since = [
            mark for mark in accepts if line.judged_at <= mark.at and sheet.place(mark.night_id) <= place
        ]
        if any(_concerns(mark, line.suite, line.tier, line.metric) for mark in since):
            continue
        night, own = sheet.row(line.night), sheet.of(line.suite, line.tier, line.metric)
        flagged[night, own] = True
        if line.state == "regression":
            told[night, own] = True
            flagged[night, sheet.of(line.suite, line.tier) & ~sheet.about_any(since)] = True
        if line.layer == _SUSTAINED:
            flagged[max(place - _BEFORE, 0) : place, own] = True
    return flagged, told
