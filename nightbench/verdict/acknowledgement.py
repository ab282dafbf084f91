"""What people and earlier judgements say about nights, as columns of the tidy frame: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightbench.verdict.frames import numbered
from nightbench.verdict.panel import Bools, Ints
from nightbench.verdict.patterns import matches_any
from nightbench.verdict.policy import Policy

_SUSTAINED = 3
"""The layer."""
_SETTLE = ("accept", "epoch", "invalid")
"""Kinds of marks that may take back what a line flags."""

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
    def who(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


def annotated(
    nights: pd.DataFrame,
    marks: Iterable[Mark],
    lines: pd.DataFrame,
    *,
    tonight: str,
    now: datetime,
    policy: Policy | None = None,
) -> pd.DataFrame:
    """`nights` with the columns ``flagged``, ``flagged_own``, ``told``, ``epoch``, ``pinned`` and ``muted``.

    ``valid`` is as it is now. A regression flags the whole suite and tier of its night; a muted one its own
    metric; one that the sustained layer found also its metric in the nights before that were looked at: the
    last that were valid, had a value and were of its fingerprint; one that layer 4 found also its metric in all
    such nights since the change, until an epoch begins with it or the night that told it is called invalid,
    which then told nothing. ``flagged_own`` are the flags that a metric has of itself. ``told`` are its regressions in
    their own night, never muted ones: whoever muted them knows, and when their baseline goes no note has to say that
    they are not settled.

    ``accept`` begins an epoch of the metrics it names, all when it names none, with its night; of what was said about
    them since that night nothing counts any more, and they are unflagged. Where all regressions of a night are
    accepted, nothing of it is flagged. ``epoch`` begins one too and unflags nothing. ``invalid`` makes the night of
    that suite and tier no measurement. Of ``pin`` and ``unpin`` the last counts, and of two mutes of a metric the later one;
    a mute holds until its date.

    Args:
        nights: Tidy, tonight's rows may be among them: ``night, suite, tier, metric, value, valid``; and
            ``started_at``, ``role`` and ``fingerprint`` where known.
        marks: Of one environment, in any order.
        lines: Stored lines of the same: ``night, suite, tier, metric, state, layer, judged_at``, and ``since``
            where known; the last judgement of each night.
        tonight: The night that is to be judged; what was said of it or later nights by a verdict is left out.
        now: For what is muted.
        policy: By which the nights were judged, the design's when left out: it says how many nights a layer looked at.
    """
    sheet = _Sheet(nights)
    said = sorted(marks, key=lambda mark: mark.at)
    flags = _flags(sheet, lines, [mark for mark in said if mark.kind in _SETTLE], tonight, policy or Policy())
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
        flagged=sheet.rows(flags.suite | flags.own),
        flagged_own=sheet.rows(flags.own),
        told=sheet.rows(flags.told),
        epoch=sheet.rows(epoch),
        pinned=sheet.rows(pinned),
        muted=muted[sheet.column],
    )


def mute_of(marks: Iterable[Mark], suite: str, tier: str, metric: str) -> str:
    """Who muted a metric, until when and why, by the last mute of it; empty when nobody did."""
    mutes = [mark for mark in marks if mark.kind == "mute" and _concerns(mark, suite, tier, metric)]
    if not mutes:
        return ""
    *_, last = sorted(mutes, key=lambda mark: mark.at)  # the same order as in `annotated`
    until = "" if last.until is None else f" until {_day(last.until)}"
    return f"muted by {last.who}{until}: {last.why}"


def _day(end: datetime) -> str:
    """The day that a mute ends with, and the time unless it is midnight."""
    end = end.astimezone(UTC)
    return f"{end:%Y-%m-%d}" if (end.hour, end.minute) == (0, 0) else f"{end:%Y-%m-%d %H:%M} UTC"


def _counts(frame: pd.DataFrame) -> Bools:
    """The rows that have a value of a night."""
    counts = np.isfinite(pd.to_numeric(frame["value"], errors="coerce").to_numpy(dtype=float))
    counts &= frame["valid"].to_numpy(dtype=bool)
    if "role" in frame:
        counts &= frame["role"].eq("night").to_numpy(dtype=bool)
    return np.asarray(counts)


class _Sheet:
    """The rows of a frame by number of night and of metric, and back."""

    def __init__(self, frame: pd.DataFrame) -> None:
        by = "started_at" if "started_at" in frame else "night"
        begun = frame.groupby("night", sort=True)[by].min().sort_values(kind="stable")
        self._nights = {str(night): number for number, night in enumerate(begun.index)}
        self._position = frame["night"].astype(str).map(self._nights).to_numpy(dtype=np.int64)
        self.column, self.names = numbered(frame[["suite", "tier", "metric"]])
        self.shape = (len(self._nights), len(self.names))
        counts = _counts(frame)
        self._known = np.zeros(self.shape, dtype=bool)
        self._known[self._position[counts], self.column[counts]] = True
        self._environment = np.full(self.shape, -1, dtype=np.int64)
        if "fingerprint" in frame:
            codes, _ = pd.factorize(frame["fingerprint"])
            self._environment[self._position[counts], self.column[counts]] = codes[counts]

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

    def before(self, place: int, metric: Bools, no_measurement: Iterable[Mark]) -> Ints:
        """The nights before a place that a verdict of that one could compare with it."""
        usable = np.asarray(self._known[:place, metric].any(axis=1))
        for mark in no_measurement:
            usable[self.row(mark.night_id)] &= not (self.about(mark) & metric).any()
        environment = self._environment[: place + 1, metric].max(axis=1, initial=-1)
        if place < len(environment) and environment[place] >= 0:
            usable &= environment[:place] == environment[place]
        return np.flatnonzero(usable)

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
    since: str | None


def _told_before(lines: pd.DataFrame) -> Iterator[_Told]:
    """The lines that said worse."""
    worse = lines[lines["state"].isin(["regression", "muted"])]
    if "since" not in worse:
        worse = worse.assign(since=None)
    worse = worse.assign(since=worse["since"].astype(object).where(worse["since"].notna(), None))
    for row in worse[[field.name for field in fields(_Told)]].to_dict("records"):
        yield _Told(**{str(name): value for name, value in row.items()})


@dataclass(frozen=True)
class _Flags:
    """What is flagged; each of shape (n, m).

    Attributes:
        suite: For any metric of the suite and tier.
        own: For the metric itself.
        told: For a regression of the metric in that very night, muted ones aside.
    """

    suite: Bools
    own: Bools
    told: Bools


def _flags(sheet: _Sheet, lines: pd.DataFrame, marks: Sequence[Mark], tonight: str, policy: Policy) -> _Flags:
    """What the lines that said worse flag, but for what was accepted since."""
    flags = _Flags(*(np.zeros(sheet.shape, dtype=bool) for _ in range(3)))
    for line in _told_before(lines):
        place = sheet.place(line.night)
        if place >= sheet.place(tonight):
            continue
        later = [mark for mark in marks if line.judged_at <= mark.at and sheet.place(mark.night_id) <= place]
        accepted = [mark for mark in later if mark.kind == "accept"]
        about_it = [mark for mark in later if _concerns(mark, line.suite, line.tier, line.metric)]
        if any(mark.kind == "accept" or _untells(mark, line) for mark in about_it):
            continue
        night, own = sheet.row(line.night), sheet.of(line.suite, line.tier, line.metric)
        flags.own[night, own] = True
        if line.state == "regression":
            flags.told[night, own] = True
            flags.suite[night, sheet.of(line.suite, line.tier) & ~sheet.about_any(accepted)] = True
        if line.layer == _SUSTAINED or line.since is not None:
            no_measurement = [mark for mark in marks if mark.kind == "invalid" and mark.at < line.judged_at]
            before = sheet.before(place, own, no_measurement)
            flags.own[_with_it(sheet, line, before, about_it, policy), own] = True
    return flags


def _untells(mark: Mark, line: _Told) -> bool:
    """Whether a night that was called invalid is the one that told a change of nights: others will tell it again."""
    return mark.kind == "invalid" and line.since is not None and mark.night_id == line.night


def _with_it(sheet: _Sheet, line: _Told, before: Ints, later: Sequence[Mark], policy: Policy) -> Ints:
    """Those of the nights `before` that the line's regression was found in beside its own.

    An epoch that begins with the change, which may stand some nights late, has nothing before it to compare with.
    """
    if line.since is None:
        return before[max(len(before) - (policy.sustained_nights - 1), 0) :]
    first = sheet.place(line.since)
    begins = (sheet.place(mark.night_id) for mark in later if mark.kind == "epoch")
    if any(begin >= first - policy.change_together for begin in begins):
        return before[:0]
    return before[before >= first]
