"""Saying something about stored runs: what the commands that mark them share."""

from __future__ import annotations

import getpass
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from nightbench.cli.history_flags import metric_advice, tell_unreadable
from nightbench.cli.json_output import JsonOutput
from nightbench.cli.selection import BASELINE, Chosen, Place, choose, stored_runs
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode
from nightbench.history.marks import Mark, MarkKind, Night, new_mark
from nightbench.history.record import clean_text
from nightbench.history.store import HistoryStore
from nightbench.report.layout import UNSURE, Page
from nightbench.report.listing import mark_rows, print_marks, regressions_of
from nightbench.scrub import scrub
from nightbench.verdict.patterns import matches, matches_any


@dataclass(frozen=True)
class About:
    """One suite and tier of one night, which is what a mark is about.

    Attributes:
        run_id: The run that was named, or the first of the night.
        regressions: Metrics that the verdict on it called a regression.
    """

    environment: str
    suite: str
    tier: str
    night_id: str
    run_id: str
    regressions: tuple[str, ...]

    @property
    def words(self) -> str:
        """For sentences."""
        return f"{self.tier} {self.suite} of {self.night_id}"


def chosen_nights(store: HistoryStore, name: str, place: Place) -> tuple[Chosen, list[About]]:
    """What a name means, by suite, tier and night.

    Raises:
        ConfigurationError: when it means nothing, several things, or a run that makes no night's value.
    """
    if name == BASELINE:
        raise ConfigurationError(place.argument, name, "is no run", "name a run or a night")
    chosen = choose(name, stored_runs(store, place), place)
    runs = chosen.runs
    strange = runs[~runs["role"].eq("night")]
    if not strange.empty:
        role = strange["role"].iloc[0]
        problem = f"is of a {role}, which is part of no night and of no baseline"
        raise ConfigurationError(place.argument, scrub(name), problem, "name a run of the night")
    worse = _regressions(store, runs)
    first = runs.drop_duplicates(["environment", "suite", "tier", "night_id"])
    return chosen, [_about(row, worse) for row in first.to_dict("records")]


def named_metrics(
    store: HistoryStore, about: Sequence[About], metrics: Sequence[str]
) -> dict[About, tuple[str, ...]]:
    """Which of `metrics`, names or patterns, each suite and tier has; those that have none are left out.

    Raises:
        ConfigurationError: when no suite and tier has one of them.
    """
    known = {each: tuple(store.run(each.run_id).metrics["name"]) for each in about}
    for metric in metrics:
        if not any(matches(metric, name) for names in known.values() for name in names):
            advice = metric_advice(metric, {name for names in known.values() for name in names})
            where = " or ".join(each.words for each in about)
            raise ConfigurationError("METRIC", scrub(metric), f"no such metric in {where}", advice)
    found = {
        each: tuple(metric for metric in metrics if any(matches(metric, name) for name in names))
        for each, names in known.items()
    }
    return {each: patterns for each, patterns in found.items() if patterns}


def speaker(who: str | None) -> str:
    """Who says it.

    Raises:
        ConfigurationError: when that is empty or cannot be known.
    """
    if who is None:
        try:
            who = getpass.getuser()
        except (OSError, KeyError):
            who = ""
        if not who:
            raise ConfigurationError("--who", NOT_GIVEN, "this machine does not know who you are", "say it")
    elif not clean_text(who).strip():
        raise ConfigurationError("--who", who, "is empty", "leave it out for the user of this machine")
    return who


def reason_of(why: str) -> str:
    """Why it is said.

    Raises:
        ConfigurationError: when that is empty.
    """
    if not clean_text(why).strip():
        raise ConfigurationError("--why", why, "is empty", "say it for those who read it in a year")
    return why


def say(
    store: HistoryStore,
    kind: MarkKind,
    about: Iterable[tuple[About, tuple[str, ...]]],
    *,
    who: str,
    why: str,
    until: datetime | None = None,
    json: str | None,
    notes: Iterable[str] = (),
) -> ExitCode:
    """Store a mark for each, and show them.

    Args:
        store: Where to.
        kind: Of the marks.
        about: What they are about, and which metrics.
        who: Says it.
        why: It is said.
        until: End of a mute.
        json: Where the document goes.
        notes: What else the reader has to know.
    """
    output = JsonOutput(json)
    store.check_writable()
    marks: list[Mark] = []
    for each, metrics in about:
        mark = new_mark(
            kind,
            environment=each.environment,
            suite=each.suite,
            tier=each.tier,
            run_id=each.run_id,
            night_id=each.night_id,
            metrics=metrics,
            who=who,
            why=why,
            until=until,
        )
        store.save_mark(mark)
        marks.append(mark)
    tell_unreadable(store)
    told = list(notes)
    code = output.write({"schema": 1, "marks": mark_rows(marks), "notes": told}, ExitCode.MET)
    if (console := output.summary_console) is not None:
        print_marks(console, marks)
        for note in told:
            Page(console).paragraph(note, style=UNSURE)
    return code


def _about(row: Mapping[Hashable, Any], worse: Mapping[Night, Sequence[str]]) -> About:
    night: Night = (row["environment"], row["suite"], row["tier"], row["night_id"])
    return About(*night, run_id=row["run_id"], regressions=tuple(worse.get(night, ())))


def _regressions(store: HistoryStore, runs: pd.DataFrame) -> dict[Night, Sequence[str]]:
    found: dict[Night, Sequence[str]] = {}
    for environment in runs["environment"].unique():
        lines = store.lines(str(environment), columns=("metric", "state"))
        found |= regressions_of(lines[lines["night"].isin(runs["night_id"])])
    return found


def unaccepted(each: About, metrics: Sequence[str]) -> list[str]:
    """The regressions that `metrics` do not name."""
    return [name for name in each.regressions if metrics and not matches_any(metrics, name)]
