"""Removing old runs, never those that something is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from nightbench.errors import MeasurementError
from nightbench.history.filters import RunFilter
from nightbench.history.marks import Mark, Night, night_of, pinned, said_invalid
from nightbench.history.schema import FORMS, MARKS, OF_A_RUN, RUNS

if TYPE_CHECKING:
    from nightbench.history.store import HistoryStore

_ALL = RunFilter()
_BEGINS = ("epoch", "accept")
_OF_A_NIGHT = ["environment", "suite", "tier", "night_id"]
_SETTLED = timedelta(days=1)
"""Files without a run that were written later may belong to one that is just being written."""


@dataclass(frozen=True)
class Limits:
    """What stays in any case; with both, what either keeps.

    Attributes:
        nights: The newest so many nights of each environment, suite and tier. A night is one with a valid run that
            makes its value: calibrations and invalid nights are not counted, and go with the nights around them.
        days: What began in the last so many days.

    Raises:
        ValueError: without a limit, or with a negative one.
    """

    nights: int | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        if (self.nights is None and self.days is None) or min(self.nights or 0, self.days or 0) < 0:
            msg = "how many nights or days are kept has to be said, 0 or more"
            raise ValueError(msg)


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be.

    Attributes:
        removed: Ids of the runs, oldest first.
        kept: Runs that are old enough and stay, with the reason.
    """

    removed: tuple[str, ...]
    kept: Mapping[str, str]


def prunable(
    store: HistoryStore, limits: Limits, *, chosen: RunFilter = _ALL, now: datetime | None = None
) -> Pruned:
    """What `limits` let go. Runs that a pin, an epoch or an acceptance is about stay.

    Args:
        store: The dataset.
        limits: What stays.
        chosen: Which runs are looked at; the limits are of all.
        now: The current instant.

    Raises:
        MeasurementError: when a mark cannot be read, which may be a pin.
    """
    marks = _marks(store)
    runs = store.runs()
    old = chosen.of(runs[_old(runs, limits, marks, now or datetime.now(UTC))])
    kept = _kept(old, marks)
    return Pruned(tuple(run_id for run_id in old["run_id"] if run_id not in kept), kept)


def prune(
    store: HistoryStore, planned: Pruned, *, chosen: RunFilter = _ALL, now: datetime | None = None
) -> Pruned:
    """Remove what `prunable` found, never more: less when somebody has said meanwhile that a run is needed.

    A run ends with its row in ``runs``, which goes first: a crash leaves nothing that counts, and what it
    leaves goes the next time, when it is a day old. What was judged and said of a run stays.

    Args:
        store: The dataset.
        planned: What to remove.
        chosen: Of which suite and tier files without a run are removed too.
        now: The current instant.

    Raises:
        MeasurementError: when a mark cannot be read, which may be a pin; nothing is removed then.
        OSError: when something could not be removed.
    """
    kept = _kept(store.runs(RunFilter(run_ids=planned.removed)), _marks(store))
    removed = tuple(run_id for run_id in planned.removed if run_id not in kept)
    _remove(store, set(removed))
    _remove_left_behind(store, chosen, (now or datetime.now(UTC)) - _SETTLED)
    return Pruned(removed, {**planned.kept, **kept})


def _marks(store: HistoryStore) -> list[Mark]:
    marks = store.marks()
    for file in store.reader.skipped_of(MARKS):
        msg = f"{file.path}: {file.problem}; nothing was removed, since it may be a pin: mend it or move it away"
        raise MeasurementError(msg)
    return marks


def _old(runs: pd.DataFrame, limits: Limits, marks: Iterable[Mark], now: datetime) -> pd.Series[bool]:
    old = pd.Series(data=True, index=runs.index)
    if limits.nights:
        begun = runs.groupby(_OF_A_NIGHT)["started_at"].transform("min")
        counted = runs[runs["role"].eq("night") & runs["valid"] & ~_said_invalid(runs, marks)]
        nights = counted.assign(begun=begun).drop_duplicates(_OF_A_NIGHT).sort_values("begun")
        group = _OF_A_NIGHT[:3]
        first = nights.groupby(group).nth(-limits.nights)[[*group, "begun"]]  # none of a group that has fewer
        kept_from = runs[group].merge(first, how="left", on=group)["begun"]
        old &= begun.lt(kept_from.set_axis(runs.index))
    if limits.days is not None:
        old &= runs["started_at"] < now - timedelta(days=limits.days)
    return old


def _said_invalid(runs: pd.DataFrame, marks: Iterable[Mark]) -> pd.Series[bool]:
    said = said_invalid(marks)
    nights = runs[_OF_A_NIGHT].itertuples(index=False, name=None)
    return pd.Series([night in said for night in nights], index=runs.index, dtype=bool)


def _kept(runs: pd.DataFrame, marks: list[Mark]) -> dict[str, str]:
    """Those of `runs` that are needed, and why."""
    needed = _needed(marks)
    nights = runs[["run_id", *_OF_A_NIGHT]].itertuples(index=False, name=None)
    return {str(run_id): needed[night] for run_id, *rest in nights if (night := tuple(rest)) in needed}


def _needed(marks: list[Mark]) -> dict[Night, str]:
    """Why the runs of a night, suite and tier stay."""
    begins = {
        night_of(mark): f"an epoch begins with it: {mark.why}" for mark in marks if mark.kind in _BEGINS
    }
    return begins | {night: f"pinned: {mark.why}" for night, mark in pinned(marks).items()}


def _remove(store: HistoryStore, run_ids: set[str]) -> None:
    for place in store.reader.places(RUNS):
        if place.name in run_ids:
            for form in reversed(OF_A_RUN):
                store.storage.remove(place.in_table(form).path)


def _remove_left_behind(store: HistoryStore, chosen: RunFilter, before: datetime) -> None:
    """What a crash left of saving or of removing runs: files of runs that do not exist, and half-written ones.

    How old a file is says the file: a run may be stored long after it was measured.
    """
    forms = [form for form in OF_A_RUN if form is not RUNS]
    files = [place for form in forms for place in store.reader.places(form, chosen.suite, chosen.tier)]
    exist = {place.name for place in store.reader.places(RUNS)}
    all_known = store.reader.listed_whole(RUNS)
    strays = [place.path for place in files if all_known and place.name not in exist]
    half_written = [path for form in FORMS for path in store.storage.half_written(form.name)]
    for path in [*strays, *half_written]:
        written = store.storage.written_at(path)
        if written is not None and written < before:
            store.storage.remove(path)
