"""The form of a metric's chart, which Altair makes once for all charts that differ in nothing but what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import altair as alt

from nightbench.report.charts import holes, theme
from nightbench.report.charts.holes import hole
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

LOOKS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "night": ("circle", BLUE, BLUE),
        "regression": ("triangle-up", ORANGE, ORANGE),
        "flagged": ("circle", ORANGE, GROUND),
        "not compared": ("circle", PALE, FRAME),
        "invalid": ("circle", PALE, GROUND),
        "tonight": ("diamond", VERMILION, VERMILION),
    }
)
"""Shape, stroke and fill of each state, in the order of the legend."""
_LINKED = ("night", "regression", "flagged", "tonight")


@dataclass(frozen=True)
class Form:
    """What makes two charts differ in more than their words and numbers.

    Attributes:
        states: Those of its nights, in the order of `LOOKS`.
        size: Of a point, square points.
        compared: Whether there is a baseline that a night can be held against.
        released: Whether the release of any night is known.
    """

    states: tuple[str, ...]
    size: int
    compared: bool
    released: bool


@dataclass(frozen=True)
class Said:
    """The words and numbers of one chart, or what stands for them in a form.

    Attributes:
        title, sentences: Above it; free of secrets.
        unit: At its axis of values.
        values: From where to where that axis goes.
        places: The same of the axis of nights.
        nights: What that axis is called.
        ticks: The places that have a date.
        dates: A Vega expression of the date of a tick.
        shown, change: Vega expressions of a night's value in words, and of how it compares.
    """

    title: Any
    sentences: Sequence[Any]
    unit: Any
    values: Sequence[Any]
    places: Sequence[Any]
    nights: Any
    ticks: Sequence[Any]
    dates: Any
    shown: Any
    change: Any


_OF_SEVERAL = ("sentences", "values", "places", "ticks")
_BLANK = Said(**{name: [hole(name)] if name in _OF_SEVERAL else hole(name) for name in Said.__annotations__})


def filled(form: Form, said: Said) -> dict[str, Any]:
    """The chart as `chart` makes it, without Altair but for the first one of its form."""
    return holes.filled(_with_holes, form, asdict(said))


def chart(form: Form, said: Said) -> dict[str, Any]:
    """The chart as Vega-Lite whose named data, ``nights``, ``baseline``, ``target`` and ``marks``, are still to come."""
    x = alt.X(
        "place:Q",
        axis=alt.Axis(
            title=said.nights,
            values=said.ticks,
            grid=False,
            labelExpr=said.dates,
            labelOverlap=False,
        ),
        scale=alt.Scale(domain=said.places, nice=False, zero=False),
    )
    layers = alt.layer(
        *_baseline_layers(said),
        *_mark_layers(),
        *_target_layers(),
        _line(x),
        _points(x, form, said),
        width=WIDTH,
        height=HEIGHT,
        title=theme.title(said.title, said.sentences),
    )
    return theme.spec(layers, {})


def _with_holes(form: Form) -> dict[str, Any]:
    return chart(form, _BLANK)


def _y(field: str, said: Said) -> alt.Y:
    """The axis of values, which all layers share and one of them says."""
    return alt.Y(
        f"{field}:Q",
        title=said.unit,
        scale=alt.Scale(domain=said.values, nice=False, zero=False, clamp=True),
        axis=alt.Axis(tickCount=6),
    )


def _baseline_layers(said: Said) -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.NamedData("baseline")).encode(
        x=alt.X("begin:Q"), x2=alt.X2("end:Q"), tooltip=[alt.Tooltip("label:N", title="baseline")]
    )
    band = base.mark_rect(color=BLUE, opacity=0.13, clip=True)
    centre = base.mark_rule(color=BLUE, strokeDash=[6, 3], strokeWidth=1.5, clip=True)
    return band.encode(y=_y("low", said), y2=alt.Y2("high:Q")), centre.encode(y=alt.Y("centre:Q"))


def _mark_layers() -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.NamedData("marks")).encode(
        x=alt.X("place:Q"), tooltip=[alt.Tooltip("label:N", title="here")]
    )
    text = base.mark_text(angle=270, align="left", baseline="bottom", dx=4, dy=-3, fontSize=10, color=INK)
    return (
        base.mark_rule(color=INK, strokeDash=[2, 3], clip=True),
        text.encode(y=alt.value(HEIGHT), text=alt.Text("label:N")),
    )


def _target_layers() -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.NamedData("target")).encode(
        y=alt.Y("limit:Q"), tooltip=[alt.Tooltip("label:N", title="promise")]
    )
    text = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2, fontSize=11, color=GREEN)
    return (
        base.mark_rule(color=GREEN, strokeWidth=2),
        text.encode(x=alt.value(0), text=alt.Text("label:N")),
    )


def _nights() -> alt.Chart:
    return alt.Chart(alt.NamedData("nights"))


def _line(x: alt.X) -> alt.Chart:
    linked = " || ".join(f"datum.state == '{state}'" for state in _LINKED)
    line: alt.Chart = _nights().transform_filter(linked).mark_line(color=BLUE, strokeWidth=1, opacity=0.6)
    return line.encode(x=x, y=alt.Y("value:Q"))


def _points(x: alt.X, form: Form, said: Said) -> alt.Chart:
    shapes, strokes, fills = ([LOOKS[state][part] for state in form.states] for part in range(3))

    def looks(of_states: Sequence[str]) -> alt.Scale:
        return alt.Scale(domain=list(form.states), range=list(of_states))

    hover = [alt.Tooltip("when:N", title="night (UTC)"), alt.Tooltip("shown:N", title="value")]
    hover += [alt.Tooltip("change:N", title="against the baseline")] if form.compared else []
    hover += [alt.Tooltip("state:N", title="state")]
    hover += [alt.Tooltip("release:N", title="release")] if form.released else []
    points = _nights().transform_calculate(shown=said.shown)
    points = points.transform_calculate(change=said.change) if form.compared else points
    marked: alt.Chart = points.mark_point(opacity=1, strokeWidth=1.2)
    return marked.encode(
        x=x,
        y=alt.Y("value:Q"),
        size=alt.condition("datum.state == 'tonight'", alt.value(4 * form.size), alt.value(form.size)),
        shape=alt.Shape("state:N", scale=looks(shapes)),
        stroke=alt.Stroke("state:N", scale=looks(strokes)),
        fill=alt.Fill("state:N", scale=looks(fills)),
        tooltip=hover,
    )
