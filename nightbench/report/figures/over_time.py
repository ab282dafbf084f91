"""The percentiles of a quantity over a run, second by second, with how many samples are behind them."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.load.histogram import samples_needed
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.numbers import number_expression, rounded_or_none
from nightbench.report.charts.theme import BLUE, FRAME, GREEN, HEIGHT, VERMILION, WIDTH
from nightbench.report.figures.course import Course
from nightbench.report.figures.words import ms, samples, title_of
from nightbench.report.layout import count

QUANTILES = {"P50": 0.5, "P95": 0.95, "P99": 0.99}
_LOOKS = {"P50": (GREEN, "circle"), "P95": (BLUE, "square"), "P99": (VERMILION, "triangle-up")}
_WIDE = 3.0
"""Times as long as the shortest: from there on the axis is logarithmic, on which less has too few ticks."""
_COUNTS = 0.15
"""The part of the plot, at its foot, that belongs to the bars of counts."""
_AIR = 0.06

Rows = list[dict[str, Any]]


def over_time(run: StoredRun, course: Course, *, key: str, what: str) -> Figure | None:
    """The chart of a quantity over the run; None of a quantity that is stored as a whole.

    Args:
        run: The run.
        course: Of the quantity.
        key: The figure's.
        what: The figure's title, but for the run.
    """
    if len(course.parts) < 2:
        return None
    rows = _rows(course)
    seen = [name for name in QUANTILES if any(row[name] is not None for row in rows)]
    if not seen:
        return None
    title = title_of(run, what)
    return Figure(
        key=key,
        title=title,
        alt=_in_words(what, course, rows, seen),
        spec=theme.spec(_chart(title, course, rows, seen), {"parts": rows}),
        table=Table(
            ("time", "samples", *QUANTILES),
            tuple((row["when"], count(row["n"]), *(ms(row[name]) for name in QUANTILES)) for row in rows),
        ),
    )


def _rows(course: Course) -> Rows:
    rows = []
    for part in course.every_part():
        row: dict[str, Any] = {
            "begin": part.second,
            "end": part.second + course.seconds,
            "when": course.span(part.second),
            "n": part.n,
        }
        if part.never:
            row["never"] = part.never
        found = part.quantiles_ms(tuple(QUANTILES.values()))
        rows.append(
            row | {name: rounded_or_none(value) for name, value in zip(QUANTILES, found, strict=True)}
        )
    return rows


def _in_words(what: str, course: Course, rows: Rows, seen: list[str]) -> str:
    said = []
    for name in seen:
        values = [row[name] for row in rows if row[name] is not None]
        said.append(f"{name} between {ms(min(values))} and {ms(max(values))}")
    missing = ", ".join(name for name in QUANTILES if name not in seen)
    missing = f"; too few samples for {missing}" if missing else ""
    never = course.whole.never
    never_came = f"; {count(never)} never came" if never else ""
    return (
        f"{what} over {count(course.end - course.first)} seconds, {samples(course.whole.n)}: "
        f"{', '.join(said)}{missing}{never_came}."
    )


def _chart(title: str, course: Course, rows: Rows, seen: list[str]) -> theme.Layered:
    values = [row[name] for row in rows for name in seen if row[name] is not None]
    x = alt.X(
        "begin:Q",
        title="second of the run",
        scale=alt.Scale(domain=[course.first, course.end], nice=False, zero=False),
        axis=alt.Axis(grid=False, tickCount=8, tickMinStep=1),
    )
    percentiles = alt.layer(_lines(values, seen), _points(values, seen))
    return alt.layer(
        _counts(x, rows),
        percentiles,
        width=WIDTH,
        height=HEIGHT,
        title=theme.title(title, _sentences(course, seen)),
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="independent")),
    )


def _sentences(course: Course, seen: list[str]) -> list[str]:
    span = "a second" if course.seconds == 1 else f"{count(course.seconds)} seconds"
    missing = [name for name in QUANTILES if name not in seen]
    needed = " and ".join(f"{name} needs {samples_needed(QUANTILES[name]):,}" for name in missing)
    never = course.whole.never
    return [
        f"by when it was due, {span} a point; bars: how many were due",
        f"no {' and '.join(missing)}: {needed} samples a point" if missing else "",
        f"{count(never)} never came: a gap is where a percentile is one of them" if never else "",
    ]


def _counts(x: alt.X, rows: Rows) -> alt.Chart:
    """Bars at the foot of the plot."""
    most = max(row["n"] for row in rows)
    y = alt.Y(
        "n:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1.1 * most / _COUNTS], nice=False),
        axis=alt.Axis(orient="right", values=[most], grid=False, ticks=False, format=",d"),
    )
    hover = [alt.Tooltip("when:N", title="time"), alt.Tooltip("n:Q", title="samples", format=",d")]
    if any("never" in row for row in rows):
        hover.append(alt.Tooltip("never:Q", title="never came", format=",d"))
    bars: alt.Chart = alt.Chart(alt.NamedData("parts")).mark_bar(color=FRAME)
    return bars.encode(x=x, x2=alt.X2("end:Q"), y=y, y2=alt.Y2(datum=0), tooltip=hover)


def _percentiles(seen: list[str]) -> alt.Chart:
    folded = alt.Chart(alt.NamedData("parts")).transform_fold([*seen], as_=["percentile", "ms"])
    found: alt.Chart = folded.transform_calculate(
        middle="(datum.begin+datum.end)/2", shown=number_expression("datum.ms", "ms")
    )
    return found


def _y(values: list[float]) -> alt.Y:
    """The axis of durations, whose foot is left to the bars."""
    low, high = min(values), max(values)
    if low > 0 and high > _WIDE * low:
        size = math.log(high / low)
        edges = low * math.exp(-(_COUNTS + _AIR) * size / (1 - _COUNTS)), high * math.exp(_AIR * size)
        scale = alt.Scale(type="log", domain=list(edges), nice=False)
    else:
        size = max(high - low, 0.2 * high) or 1.0
        edges = max(low - (_COUNTS + _AIR) * size / (1 - _COUNTS), 0.0), high + _AIR * size
        scale = alt.Scale(domain=list(edges), nice=False, zero=False)
    return alt.Y("ms:Q", title="ms", scale=scale, axis=alt.Axis(orient="left", tickCount=6))


def _colour(seen: list[str]) -> alt.Color:
    return alt.Color("percentile:N", scale=alt.Scale(domain=seen, range=[_LOOKS[name][0] for name in seen]))


def _lines(values: list[float], seen: list[str]) -> alt.Chart:
    lines: alt.Chart = _percentiles(seen).mark_line(strokeWidth=1.5)
    return lines.encode(x=alt.X("middle:Q"), y=_y(values), color=_colour(seen))


def _points(values: list[float], seen: list[str]) -> alt.Chart:
    shapes = alt.Scale(domain=seen, range=[_LOOKS[name][1] for name in seen])
    points: alt.Chart = (
        _percentiles(seen).transform_filter("isValid(datum.ms)").mark_point(filled=True, opacity=1, size=28)
    )
    return points.encode(
        x=alt.X("middle:Q"),
        y=_y(values),
        color=_colour(seen),
        shape=alt.Shape("percentile:N", scale=shapes),
        tooltip=[
            alt.Tooltip("when:N", title="time"),
            alt.Tooltip("percentile:N", title="percentile"),
            alt.Tooltip("shown:N", title="time of it"),
            alt.Tooltip("n:Q", title="samples", format=",d"),
        ],
    )
