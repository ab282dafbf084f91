"""Removing old runs, never those that something is compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from nightbench.errors import MeasurementError
from nightbench.history.filters import RunFilter
from nightbench.history.marks import Mark, Night, night_of, pinned
from nightbench.history.schema import MARKS, OF_A_RUN, RUNS

if TYPE_CHECKING:
    from nightbench.history.store import HistoryStore

_ALL = RunFilter()
_BEGINS = ("epoch", "accept")
_INSTANT = re.compile(r"\d{8}T\d{6}Z-")
_SETTLED = timedelta(days=1)
"""Files without a run that are younger may belong to one that is just being written."""


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Attributes:
        removed: Ids of the runs, oldest first; of those that would have been, in a dry run.
        kept: Runs that were old enough and stay, with the reason.
    """

    removed: tuple[str, ...]
    kept: Mapping[str, str]


def prune(
    store: HistoryStore,
    *,
    keep: int | None = None,
    keep_days: int | None = None,
    chosen: RunFilter = _ALL,
    now: datetime | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Remove old runs. What either limit keeps stays, and so do runs that a pin, an epoch or an acceptance is about.

    A run ends with its row in ``runs``, which goes first: a crash leaves nothing that counts, and what it
    leaves goes the next time. What was judged and said of a run stays.

    Args:
        store: The dataset.
        keep: The newest so many nights of each environment, suite and tier stay.
        keep_days: What began in the last so many days stays.
        chosen: Which runs are looked at.
        now: The current instant.
        dry_run: Only tell.

    Raises:
        ValueError: without a limit, or with a negative one.
        MeasurementError: when a mark cannot be read, which may be a pin; nothing is removed then.
        OSError: when something could not be removed.
    """
    if (keep is None and keep_days is None) or min(keep or 0, keep_days or 0) < 0:
        msg = "how many nights or days are kept has to be said, 0 or more"
        raise ValueError(msg)
    instant = (now or datetime.now(UTC)).astimezone(UTC)
    runs = store.runs()
    old = chosen.of(runs[_old(runs, keep, keep_days, instant)])
    needed = _needed(store.marks())
    for file in store.reader.skipped_of(MARKS):
        msg = f"{file.path}: {file.problem}; nothing was removed, since it may be a pin: mend it or move it away"
        raise MeasurementError(msg)
    of_nights = old[["run_id", "environment", "suite", "tier", "night_id"]].itertuples(index=False, name=None)
    kept = {str(run_id): needed[night] for run_id, *rest in of_nights if (night := tuple(rest)) in needed}
    removed = tuple(run_id for run_id in old["run_id"] if run_id not in kept)
    if not dry_run:
        _remove(store, set(removed))
        _remove_left_behind(store, chosen, instant)
    return Pruned(removed, kept)


def _old(runs: pd.DataFrame, keep: int | None, keep_days: int | None, now: datetime) -> pd.Series[bool]:
    old = pd.Series(data=True, index=runs.index)
    if keep is not None:
        night = runs.groupby(["environment", "suite", "tier", "night_id"])["started_at"].transform("min")
        group = [runs["environment"], runs["suite"], runs["tier"]]
        old &= night.groupby(group).rank(method="dense", ascending=False) > keep
    if keep_days is not None:
        old &= runs["started_at"] < now - timedelta(days=keep_days)
    return old


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


def _remove_left_behind(store: HistoryStore, chosen: RunFilter, now: datetime) -> None:
    """Files of runs that do not exist: what a crash left of saving or of removing them."""
    settled = f"{now - _SETTLED:%Y%m%dT%H%M%SZ}"
    files = [
        place
        for form in OF_A_RUN
        if form is not RUNS
        for place in store.reader.places(form, chosen.suite, chosen.tier)
    ]
    exist = {place.name for place in store.reader.places(RUNS)}
    for place in files:
        if place.name not in exist and _INSTANT.match(place.name) and place.name < settled:
            store.storage.remove(place.path)
