"""The chart of a metric's nights as one Altair spec, its data apart: a mail, a page and a report draw the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from nightbench.history.record import clean_own
from nightbench.report.charts.form import LOOKS, Form, Said, filled
from nightbench.report.charts.metric_nights import (
    MOST_NIGHTS,
    MetricNight,
    MetricNights,
    shown_limits,
    value_range,
)
from nightbench.report.charts.numbers import change_expression, number_expression, rounded, rounded_or_none
from nightbench.report.charts.release_marks import release_label, release_marks
from nightbench.report.charts.theme import one_line, text
from nightbench.report.layout import change, number

_TICKS = 8
_ON_THE_AXIS = frozenset({"invalid", "not compared"})
"""Where these stand when their value is not known: it says nothing, and that there was a night says something."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Rows = list[dict[str, Any]]


def spec_of(history: MetricNights, *, most: int = MOST_NIGHTS) -> dict[str, Any]:
    """The chart of the last `most` nights, Vega-Lite as plain JSON-like data; the same nights give the same spec.

    Its data are the named sets of `data_of`. All text in it is free of secrets and of control characters.
    """
    history = history.last(most)
    data = data_of(history)
    return {**filled(form_of(history, data), said_of(history)), "datasets": data}


def form_of(history: MetricNights, data: Mapping[str, Rows]) -> Form:
    """What the chart of these nights and their data has in common with others."""
    states = {row["state"] for row in data["nights"]}
    return Form(
        states=tuple(state for state in LOOKS if state in states),
        size=40 if len(history.nights) <= MOST_NIGHTS else 12,
        compared=_centre(history) is not None,
        released=any("release" in row for row in data["nights"]),
    )


def said_of(history: MetricNights) -> Said:
    """What the chart of these nights says that no other one does."""
    newest = len(history.nights) - 1
    step = max(-(-len(history.nights) // _TICKS), 1)
    ticks = list(range(newest, -1, -step))[::-1]
    centre = _centre(history)
    shown = number_expression("datum.value", history.unit)
    return Said(
        title=text(f"{history.metric}, {history.tier} {history.suite}, {history.environment}"),
        sentences=[text(line) for line in _sentences(history) if line],
        unit=text("" if history.unit in {"", "1"} else history.unit) or None,
        values=[rounded(edge) for edge in value_range(history)],
        places=[-0.5, newest + 0.5],
        nights=_span(history),
        ticks=ticks,
        dates=_dates([history.nights[place].started_at.astimezone(UTC) for place in ticks], ticks),
        shown=_where_known(shown, otherwise="no value"),
        change="''"
        if centre is None
        else _where_known(change_expression("datum.value", centre), otherwise="–"),
    )


def data_of(history: MetricNights) -> dict[str, Rows]:
    """What the spec draws, as named sets: ``nights``, ``baseline``, ``target`` and ``marks``.

    Values are in the unit and have five significant digits; a report has many of these.
    """
    least, _ = value_range(history)
    nights = [
        _night(place, each, least, history.unit)
        for place, each in enumerate(history.nights)
        if each.value is not None or each.state in _ON_THE_AXIS
    ]
    return {
        "nights": nights,
        "baseline": _baseline_rows(history),
        "target": [{"limit": limit, "label": _promise(history, limit)} for limit in shown_limits(history)],
        "marks": _marks(history),
    }


def _night(place: int, each: MetricNight, least: float, unit: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "place": place,
        "when": f"{each.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        "value": rounded(least if each.value is None else each.value, unit),
        "state": each.state,
    }
    if each.value is None:
        row["unknown"] = True
    if each.release is not None:
        row["release"] = release_text(each.release)
    return row


@lru_cache(maxsize=4096)
def release_text(words: str) -> str:
    """As `text`, once for all charts of a report: each has the releases of all its nights; 1.24.3.4 is no address."""
    return one_line(str(clean_own(words)))


def _where_known(expression: str, *, otherwise: str) -> str:
    return f"datum.unknown?'{otherwise}':{expression}"


def _centre(history: MetricNights) -> float | None:
    """What a night is held against; None without it."""
    return None if history.baseline is None else history.baseline.centre or None


def _baseline_rows(history: MetricNights) -> Rows:
    baseline, unit = history.baseline, history.unit
    if baseline is None:
        return []
    since = history.place(baseline.since) or 0
    band = "" if baseline.low is None else f", 95 % of nights {_number(baseline.low, unit)}"
    band += "" if baseline.high is None else f" to {_number(baseline.high, unit)}"
    return [
        {
            "begin": since - 0.5,
            "end": len(history.nights) - 0.5,
            "centre": rounded(baseline.centre),
            "low": rounded_or_none(baseline.low),
            "high": rounded_or_none(baseline.high),
            "label": text(f"{_number(baseline.centre, unit)}{band}"),
        }
    ]


def _marks(history: MetricNights) -> Rows:
    """What begins between two nights, and tonight where it has no value; one line for what begins together."""
    texts: dict[int, list[str]] = {}
    for night in history.epochs:
        if place := history.place(night):
            texts.setdefault(place, []).append("epoch")
    for each in history.changes:
        if place := history.place(each.night):
            texts.setdefault(place, []).append(f"changed {change(each.effect)}")
    for place, release in release_marks(history):
        texts.setdefault(place, []).append(text(release_label(release)))
    rows: Rows = [{"place": place - 0.5, "label": ", ".join(said)} for place, said in sorted(texts.items())]
    if history.nights[-1].value is None:
        rows.append({"place": len(history.nights) - 1, "label": "tonight: no value"})
    return rows


def _sentences(history: MetricNights) -> Sequence[str]:
    """Tonight against the baseline, and the target."""
    baseline, unit = history.baseline, history.unit
    said = f"tonight {_number(history.nights[-1].value, unit)}"
    if baseline is not None:
        against = "" if baseline.effect is None else f" ({change(baseline.effect)})"
        said += f"; baseline {_number(baseline.centre, unit)}{against}"
        said += "" if baseline.low is None else "; 95 % of nights are in the band"
    bounds = " and ".join(f"{op} {_number(limit, unit)}" for op, limit in history.target)
    hidden = len(shown_limits(history)) < len(history.target)
    target = f"target {bounds}{', beyond the chart' if hidden else ''}" if bounds else ""
    return [said, target]


def _promise(history: MetricNights, limit: float) -> str:
    op = next(op for op, bound in history.target if bound == limit)
    return text(f"target {op} {_number(limit, history.unit)}")


def _span(history: MetricNights) -> str:
    """What the axis of nights is called; they stand side by side however long lies between them."""
    first, last = (history.nights[place].started_at.astimezone(UTC) for place in (0, -1))
    years = str(last.year) if first.year == last.year else f"{first.year} to {last.year}"
    span = f"{_day(last)} {years}" if first.date() == last.date() else years
    return f"nights of {span} (UTC)"


def _dates(shown: Sequence[datetime], ticks: Sequence[int]) -> str:
    """A Vega expression of what stands below a tick."""
    dates = {str(place): label for place, label in zip(ticks, _labels(shown), strict=True)}
    return f"{json.dumps(dates)}[toString(datum.value)]"


def _labels(shown: Sequence[datetime]) -> list[str | list[str]]:
    """What is written below each night: its day, and its time where another one has that day."""
    days = [_day(each) for each in shown]
    times = [f"{each:%H:%M}" for each in shown]
    if len(shown) > 1 and len({each.date() for each in shown}) == 1:
        return [*times]
    return [[time, day] if days.count(day) > 1 else day for time, day in zip(times, days, strict=True)]


def _day(instant: datetime) -> str:
    return f"{instant.day} {_MONTHS[instant.month - 1]}"


def _number(value: float | None, unit: str) -> str:
    return "no value" if value is None else number(value, unit)
