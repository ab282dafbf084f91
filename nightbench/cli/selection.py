"""Which stored runs a name on the command line means: a run, a night, the last ones, days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from nightbench.errors import ConfigurationError
from nightbench.scrub import scrub

if TYPE_CHECKING:
    import pandas as pd

    from nightbench.history.store import HistoryStore

BASELINE = "baseline"
NAMES = (
    "a run or night, or the beginning of its id; last, last~1, last:5; a day or days, 2026-11-01..2026-11-10"
)

_LAST = re.compile(r"last(?:~(?P<back>\d{1,6}))?(?::(?P<nights>\d{1,6}))?")
_DAYS = re.compile(r"(?P<first>\d{4}-\d{2}-\d{2})?(?P<dots>\.\.)?(?P<last>\d{4}-\d{2}-\d{2})?")
_CANDIDATES = 8


@dataclass(frozen=True)
class Place:
    """Where to look for names.

    Attributes:
        environment: Whose runs ``last`` and days mean; an id is found in any.
        suite, tier: Only these; all when None.
        argument: What the name was given as, for errors: ``A``, ``RUN``.
    """

    environment: str
    suite: str | None = None
    tier: str | None = None
    argument: str = "RUN"

    def named(self, argument: str) -> Place:
        """The same for another argument."""
        return replace(self, argument=argument)

    def of(self, environment: str, argument: str) -> Place:
        """The same of another environment, for another argument."""
        return replace(self, environment=environment, argument=argument)

    @property
    def words(self) -> str:
        """The filters in words: ``of tier full, suite websocket``; empty without any."""
        parts = [f"{name} {value}" for name in ("suite", "tier") if (value := getattr(self, name))]
        return f" of {', '.join(parts)}" if parts else ""

    def filtered(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs of the suite and tier."""
        for column in ("suite", "tier"):
            if (value := getattr(self, column)) is not None:
                runs = runs[runs[column].eq(value)]
        return runs


@dataclass(frozen=True, eq=False)
class Chosen:
    """The runs that a name means.

    Attributes:
        name: As it was given.
        kind: Whether it named one run, one night, or nights by when they were.
        runs: Rows of `HistoryStore.runs`, oldest first, never none.
    """

    name: str
    kind: Literal["run", "night", "nights"]
    runs: pd.DataFrame

    @property
    def nights(self) -> list[str]:
        """Ids of the nights, oldest first."""
        return list(dict.fromkeys(self.runs["night_id"]))


def stored_runs(store: HistoryStore, place: Place) -> pd.DataFrame:
    """The runs among which a name is looked for; no more is read than those of the suite and tier."""
    from nightbench.history.filters import RunFilter  # noqa: PLC0415  # --help stays quick

    return store.runs(RunFilter(suite=place.suite, tier=place.tier))


def choose(name: str, runs: pd.DataFrame, place: Place) -> Chosen:
    """What `name` means among stored `runs`.

    Of nights only the runs that make their value count, not the repetitions of suspects; of a night without
    such runs, as a calibration, all.

    Raises:
        ConfigurationError: when it means nothing or several things; it names them.
    """
    if runs.empty:
        problem = f"nothing{place.words} is stored yet"
        raise _unknown(name, place, problem, "`nightbench run quick` measures something")
    known = place.filtered(runs)
    if found := _LAST.fullmatch(name):
        return _last(name, found, known, place)
    days = _DAYS.fullmatch(name)
    if (
        days
        and (days["first"] or days["last"])
        and bool(days["dots"]) >= bool(days["first"] and days["last"])
    ):
        return _of_days(name, days, known, place)
    return _named(name, runs, known, place)


def day(text: str, flag: str, *, end: bool = False) -> datetime:
    """An instant: ``2026-11-20``, or ISO 8601 with a time, in UTC unless it names its zone.

    The `end` of a day is its last microsecond.

    Raises:
        ConfigurationError: naming the flag.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        way_out = "write it as 2026-11-20 or 2026-11-20T03:15+00:00; it is in UTC unless it names its zone"
        raise ConfigurationError(flag, scrub(text), "is no date", way_out) from None
    if end and _is_a_day(text):
        instant += timedelta(days=1) - timedelta(microseconds=1)
    return instant


def _is_a_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _last(name: str, found: re.Match[str], known: pd.DataFrame, place: Place) -> Chosen:
    of_it = known[known["environment"].eq(place.environment) & known["role"].eq("night")]
    nights = list(dict.fromkeys(of_it.sort_values(["started_at", "run_id"], kind="stable")["night_id"]))
    back, amount = int(found["back"] or 0), int(found["nights"] or 1)
    wanted = nights[: len(nights) - back][-amount:] if amount else []
    if not wanted:
        there = "1 night" if len(nights) == 1 else f"{len(nights)} nights"
        problem = f"there are {there}{place.words} in environment {place.environment}"
        raise _unknown(name, place, problem, "see `nightbench history`")
    return Chosen(name, "night" if len(wanted) == 1 else "nights", _rows(of_it, wanted))


def _of_days(name: str, days: re.Match[str], known: pd.DataFrame, place: Place) -> Chosen:
    first, last = days["first"], days["last"]
    if not days["dots"]:
        last = first = first or last
    since = None if first is None else day(first, place.argument)
    until = None if last is None else day(last, place.argument, end=True)
    if since and until and until < since:
        raise _unknown(name, place, "ends before it begins", f"write it as {last}..{first}")
    of_it = known[known["environment"].eq(place.environment) & known["role"].eq("night")]
    if since:
        of_it = of_it[of_it["started_at"] >= since]
    if until:
        of_it = of_it[of_it["started_at"] <= until]
    if of_it.empty:
        problem = f"nothing was measured then{place.words} in environment {place.environment} (days are UTC)"
        raise _unknown(name, place, problem, "see `nightbench history`")
    return Chosen(name, "nights", of_it)


def _named(name: str, runs: pd.DataFrame, known: pd.DataFrame, place: Place) -> Chosen:
    for column in ("run_id", "night_id"):
        if name and runs[column].eq(name).any():
            return _of_id(name, name, column == "run_id", known, place)
    ids = {text: True for text in runs["run_id"] if text.startswith(name)}
    ids |= {text: False for text in runs["night_id"] if text.startswith(name)}
    if len(ids) == 1 and name:
        ((full, is_run),) = ids.items()
        return _of_id(name, full, is_run, known, place)
    if not ids or not name:
        raise _unknown(
            name,
            place,
            f"no run or night{place.words} has this name",
            f"name {NAMES}; see `nightbench history`",
        )
    if night := _one_night(ids, runs):
        return _of_id(name, night, False, known, place)
    several = [*sorted(ids)[:_CANDIDATES], *(["…"] if len(ids) > _CANDIDATES else [])]
    problem = f"may be any of {' '.join(several)}"
    raise ConfigurationError(place.argument, scrub(name), problem, "write more of the id")


def _one_night(ids: Mapping[str, bool], runs: pd.DataFrame) -> str | None:
    """The night among `ids`, when it is the only one and all the others are runs of it."""
    nights = [text for text, is_run in ids.items() if not is_run]
    of_runs = set(runs.loc[runs["run_id"].isin([text for text, is_run in ids.items() if is_run]), "night_id"])
    return nights[0] if len(nights) == 1 and of_runs <= set(nights) else None


def _of_id(name: str, full: str, is_run: bool, known: pd.DataFrame, place: Place) -> Chosen:
    found = known[known["run_id"].eq(full)] if is_run else _rows(known, [full])
    if found.empty:
        raise _unknown(name, place, f"has no run{place.words}", "leave out --suite or --tier")
    return Chosen(name, "run" if is_run else "night", found)


def _rows(runs: pd.DataFrame, nights: list[str]) -> pd.DataFrame:
    found = runs[runs["night_id"].isin(nights)]
    of_the_night = found[found["role"].eq("night")]
    return found if of_the_night.empty else of_the_night


def _unknown(name: str, place: Place, problem: str, way_out: str) -> ConfigurationError:
    return ConfigurationError(place.argument, scrub(name), problem, way_out)
