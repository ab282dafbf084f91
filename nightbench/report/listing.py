"""Stored runs and what was said about them, as lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pandas as pd
from rich.console import Console

from nightbench.history.marks import Mark, Night, night_of, pinned
from nightbench.history.record import clean
from nightbench.report.layout import BAD, DIM, GOOD, HEADING, INDENT, UNSURE, WIDTH, Page, number
from nightbench.report.overview import MAIN

Regressions = Mapping[Night, Sequence[str]]
"""The metrics that were told to be worse, by night."""

_LONGEST_HEAD = 66
"""Columns before the verdict; a run whose name is longer has a line of its own for it."""
SAID: Mapping[str, str] = MappingProxyType(
    {"accept": "accepted", "mute": "muted", "invalid": "said to be invalid", "epoch": "epoch begins"}
)
"""What people say of a night, by the kind of their mark."""


def regressions_of(lines: pd.DataFrame) -> Regressions:
    """The metrics that stored lines call a regression; `lines` as `HistoryStore.lines` gives them."""
    found: dict[Night, list[str]] = {}
    worse = lines[lines["state"].eq("regression")]
    columns = (worse[name].tolist() for name in ("environment", "suite", "tier", "night", "metric"))
    for environment, suite, tier, night, metric in zip(*columns, strict=True):
        found.setdefault((environment, suite, tier, night), []).append(metric)
    return found


def run_rows(runs: pd.DataFrame, regressions: Regressions, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """The runs as JSON-like data, with what was said about their nights, oldest first."""
    said = _said(marks)
    rows = []
    for row in runs.to_dict("records"):
        night = (row["environment"], row["suite"], row["tier"], row["night_id"])
        of_the_night = row["role"] == "night"
        rows.append(
            {
                **row,
                "fingerprint": json.loads(row["fingerprint"] or "{}"),
                "regressions": list(regressions.get(night, ())) if of_the_night else [],
                "marks": said.get(night, []) if of_the_night else [],
            }
        )
    content: list[dict[str, Any]] = clean(rows)
    return content


def mark_rows(marks: Iterable[Mark]) -> list[dict[str, Any]]:
    """The marks as JSON-like data."""
    content: list[dict[str, Any]] = clean([asdict(mark) for mark in marks])
    return content


def p95_of(metrics: pd.DataFrame) -> dict[str, str]:
    """The P95 response time of each run in words, by its id; `metrics` as `HistoryStore.nights` gives them."""
    main = metrics[metrics["metric"].eq(metrics["suite"].map(MAIN) + ".response_time.p95")]
    columns = (main[name].tolist() for name in ("run_id", "value"))
    return {run: number(value, "ms") for run, value in zip(*columns, strict=True)}


def print_runs(
    console: Console, rows: Sequence[Mapping[str, Any]], p95: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Print the runs with their `p95`, each night under its id, in at most 80 columns; nothing without any."""
    page = Page(console)
    if not rows:
        return
    nights: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        nights.setdefault(row["night_id"], []).append(row)
    name = max(len(row["run_id"]) for row in rows)
    part = max(len(_part(row)) for row in rows)
    value = max(len("P95"), *(len(p95.get(row["run_id"], "–")) for row in rows))

    def columns(run: str, what: str, time: str) -> str:
        return f"{INDENT}{run.ljust(name)}  {what.ljust(part)}  {time.rjust(value)}  "

    narrow = len(columns("", "", "")) > _LONGEST_HEAD
    if narrow:
        name = 0
    page.line((f"{columns('' if narrow else 'run', 'what', 'P95')}verdict", HEADING))
    for night, of_night in nights.items():
        _print_night(page, night, of_night)
        for row in of_night:
            state, style = _state(row)
            words = ", ".join([state, *_remarks(row)])
            if narrow:
                page.line(INDENT, row["run_id"])
            head = columns("" if narrow else row["run_id"], _part(row), p95.get(row["run_id"], "–"))
            page.paragraph(words, first=head, rest=" " * len(head), style=style)


def _print_night(page: Page, night: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Its id, and the release of its subject beside or below it."""
    release = next((row["release"] for row in rows if row["release"]), None)
    said = "" if release is None else f"release {release}"
    fits = len(night) + len(said) + 2 <= WIDTH
    page.line((night, HEADING), f"  {said}" if fits else "")
    if not fits:
        page.paragraph(said)


def print_marks(console: Console, marks: Iterable[Mark], *, title: str = "") -> None:
    """Print what was said, oldest first."""
    page = Page(console)
    if title:
        page.heading(title)
    for mark in marks:
        until = "" if mark.until is None else f" until {_minute(mark.until)}"
        about = ", ".join(mark.metrics) or "all metrics"
        page.line((f"{_minute(mark.at)}  {mark.kind}{until}", HEADING))
        page.paragraph(f"{mark.tier} {mark.suite} of {mark.night_id}: {about}")
        page.paragraph(f"{mark.who}: {mark.why}", style=DIM)


def _said(marks: Sequence[Mark]) -> dict[Night, list[str]]:
    found: dict[Night, list[str]] = {}
    for mark in marks:
        if mark.kind in SAID:
            found.setdefault(night_of(mark), []).append(SAID[mark.kind])
    for night in pinned(marks):
        found.setdefault(night, []).append("pinned")
    return {night: list(dict.fromkeys(words)) for night, words in found.items()}


def _state(row: Mapping[str, Any]) -> tuple[str, str]:
    if not row["complete"]:
        return "incomplete", UNSURE
    if not row["valid"]:
        return "invalid", UNSURE
    if not row["targets_met"]:
        return "missed", BAD
    return "met", BAD if row["regressions"] and not row["marks"] else GOOD


def _remarks(row: Mapping[str, Any]) -> list[str]:
    amount = len(row["regressions"])
    worse = [] if not amount else [f"{amount} {'regression' if amount == 1 else 'regressions'}"]
    return [*worse, *row["marks"]]


def _part(row: Mapping[str, Any]) -> str:
    names = {"night": "block", "rerun": "rerun", "calibration": "A/A run", "capacity": "step"}
    return f"{names.get(row['role'], row['role'])} {row['block']}"


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
