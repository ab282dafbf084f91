"""The chart of a metric's nights as one Altair spec, its data apart: a mail, a page and a report draw the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import altair as alt

from nightbench.report.charts import theme
from nightbench.report.charts.metric_nights import MOST_NIGHTS, MetricNights, shown_limits, value_range
from nightbench.report.charts.theme import (
    BLUE,
    FRAME,
    GREEN,
    GROUND,
    HEIGHT,
    INK,
    ORANGE,
    PALE,
    VERMILION,
    WIDTH,
)
from nightbench.report.layout import change, number

_TICKS = 8
_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "night": ("circle", BLUE, BLUE),
    "regression": ("triangle-up", ORANGE, ORANGE),
    "not compared": ("circle", PALE, FRAME),
    "invalid": ("circle", PALE, GROUND),
    "tonight": ("diamond", VERMILION, VERMILION),
}
"""Shape, stroke and fill of each state, in the order of the legend."""
_LINKED = frozenset({"night", "regression", "tonight"})
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
    states = [state for state in _LOOKS if any(row["state"] == state for row in data["nights"])]
    x = alt.X("place:Q", axis=_nights_axis(history), scale=_places(history))
    chart = alt.layer(
        *_baseline_layers(history),
        *_mark_layers(),
        *_target_layers(),
        _line(x),
        _points(x, states, size=40 if len(history.nights) <= MOST_NIGHTS else 12),
    ).properties(width=WIDTH, height=HEIGHT, title=_title(history))
    return theme.spec(chart, data)


def data_of(history: MetricNights) -> dict[str, Rows]:
    """What the spec draws, as named sets: ``nights``, ``baseline``, ``target`` and ``marks``; values in the unit."""
    least, _ = value_range(history)
    nights = [
        {
            "place": place,
            "night": theme.text(each.night),
            "value": least if each.value is None else each.value,
            "state": each.state,
            "linked": each.state in _LINKED,
        }
        for place, each in enumerate(history.nights)
        if each.value is not None or each.state in _ON_THE_AXIS
    ]
    return {
        "nights": nights,
        "baseline": _baseline_rows(history),
        "target": [{"limit": limit, "label": _promise(history, limit)} for limit in shown_limits(history)],
        "marks": _marks(history),
    }


def _baseline_rows(history: MetricNights) -> Rows:
    if history.baseline is None:
        return []
    since = history.place(history.baseline.since) or 0
    ends = {"begin": since - 0.5, "end": len(history.nights) - 0.5}
    return [
        {
            **ends,
            "centre": history.baseline.centre,
            "low": history.baseline.low,
            "high": history.baseline.high,
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
    rows: Rows = [{"place": place - 0.5, "label": ", ".join(said)} for place, said in sorted(texts.items())]
    if history.nights[-1].value is None:
        rows.append({"place": len(history.nights) - 1, "label": "tonight: no value"})
    return rows


def _title(history: MetricNights) -> alt.TitleParams:
    name = f"{history.metric}, {history.tier} {history.suite}, {history.environment}"
    return theme.title(name, list(_sentences(history)))


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
    return theme.text(f"target {op} {_number(limit, history.unit)}")


def _places(history: MetricNights) -> alt.Scale:
    return alt.Scale(domain=[-0.5, len(history.nights) - 0.5], nice=False, zero=False)


def _nights_axis(history: MetricNights) -> alt.Axis:
    """Nights stand side by side however long lies between them; some of their dates are written out."""
    newest = len(history.nights) - 1
    step = max(-(-len(history.nights) // _TICKS), 1)
    shown = list(range(newest, -1, -step))[::-1]
    labels = _labels([history.nights[place].started_at.astimezone(UTC) for place in shown])
    dates = {str(place): label for place, label in zip(shown, labels, strict=True)}
    first, last = (history.nights[place].started_at.astimezone(UTC) for place in (0, -1))
    years = str(last.year) if first.year == last.year else f"{first.year} to {last.year}"
    span = f"{_day(last)} {years}" if first.date() == last.date() else years
    return alt.Axis(
        title=f"nights of {span} (UTC)",
        values=shown,
        grid=False,
        labelExpr=f"{json.dumps(dates)}[toString(datum.value)]",
        labelOverlap=False,
    )


def _labels(shown: Sequence[datetime]) -> list[str | list[str]]:
    """What is written below each night: its day, and its time where another one has that day."""
    days = [_day(each) for each in shown]
    times = [f"{each:%H:%M}" for each in shown]
    if len(shown) > 1 and len({each.date() for each in shown}) == 1:
        return [*times]
    return [[time, day] if days.count(day) > 1 else day for time, day in zip(times, days, strict=True)]


def _day(instant: datetime) -> str:
    return f"{instant.day} {_MONTHS[instant.month - 1]}"


def _y(field: str, history: MetricNights) -> alt.Y:
    """The axis of values, which all layers share and one of them says."""
    unit = "" if history.unit in {"", "1"} else history.unit
    return alt.Y(
        f"{field}:Q",
        title=theme.text(unit) or None,
        scale=alt.Scale(domain=list(value_range(history)), nice=False, zero=False, clamp=True),
        axis=alt.Axis(tickCount=6),
    )


def _baseline_layers(history: MetricNights) -> tuple[alt.Chart, alt.Chart]:
    data = alt.NamedData("baseline")
    ends = {"x": alt.X("begin:Q"), "x2": alt.X2("end:Q")}
    band = alt.Chart(data).mark_rect(color=BLUE, opacity=0.13, clip=True)
    centre = alt.Chart(data).mark_rule(color=BLUE, strokeDash=[6, 3], strokeWidth=1.5, clip=True)
    y = _y("low", history)
    return band.encode(**ends, y=y, y2=alt.Y2("high:Q")), centre.encode(**ends, y=alt.Y("centre:Q"))


def _mark_layers() -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.NamedData("marks")).encode(x=alt.X("place:Q"))
    text = base.mark_text(angle=270, align="left", baseline="bottom", dx=4, dy=-3, fontSize=10, color=INK)
    return (
        base.mark_rule(color=INK, strokeDash=[2, 3], clip=True),
        text.encode(y=alt.value(HEIGHT), text=alt.Text("label:N")),
    )


def _target_layers() -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.NamedData("target")).encode(y=alt.Y("limit:Q"))
    text = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2, fontSize=11, color=GREEN)
    return (
        base.mark_rule(color=GREEN, strokeWidth=2),
        text.encode(x=alt.value(0), text=alt.Text("label:N")),
    )


def _nights() -> alt.Chart:
    return alt.Chart(alt.NamedData("nights"))


def _line(x: alt.X) -> alt.Chart:
    linked = _nights().transform_filter("datum.linked")
    line: alt.Chart = linked.mark_line(color=BLUE, strokeWidth=1, opacity=0.6)
    return line.encode(x=x, y=alt.Y("value:Q"))


def _points(x: alt.X, states: Sequence[str], *, size: int) -> alt.Chart:
    shapes, strokes, fills = ([_LOOKS[state][part] for state in states] for part in range(3))

    def looks(of_states: Sequence[str]) -> alt.Scale:
        return alt.Scale(domain=list(states), range=list(of_states))

    points: alt.Chart = _nights().mark_point(opacity=1, strokeWidth=1.2)
    return points.encode(
        x=x,
        y=alt.Y("value:Q"),
        size=alt.condition("datum.state == 'tonight'", alt.value(4 * size), alt.value(size)),
        shape=alt.Shape("state:N", scale=looks(shapes)),
        stroke=alt.Stroke("state:N", scale=looks(strokes)),
        fill=alt.Fill("state:N", scale=looks(fills)),
    )


def _number(value: float | None, unit: str) -> str:
    return "no value" if value is None else number(value, unit)
