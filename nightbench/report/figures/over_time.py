"""The percentiles of a quantity over a run, second by second, with how many samples are behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.load.histogram import samples_needed
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.holes import filled, hole
from nightbench.report.charts.numbers import number_expression, rounded_or_none
from nightbench.report.charts.theme import BLUE, FRAME, GREEN, HEIGHT, VERMILION, WIDTH, text
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


@dataclass(frozen=True)
class _Form:
    """What makes two of these charts differ in more than words and numbers.

    Attributes:
        seen: The percentiles that are drawn.
        logarithmic: Whether the axis of durations is.
        never: Whether anything never came.
    """

    seen: tuple[str, ...]
    logarithmic: bool
    never: bool


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
        spec={**_spec(title, course, rows, seen), "datasets": {"parts": rows}},
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


def _spec(title: str, course: Course, rows: Rows, seen: list[str]) -> dict[str, Any]:
    values = [row[name] for row in rows for name in seen if row[name] is not None]
    low, high = min(values), max(values)
    form = _Form(
        seen=tuple(seen),
        logarithmic=low > 0 and high > _WIDE * low,
        never=any("never" in row for row in rows),
    )
    most = max(row["n"] for row in rows)
    said = {
        "title": text(title),
        "sentences": [text(line) for line in _sentences(course, seen) if line],
        "seconds": [course.first, course.end],
        "counts": [0, 1.1 * most / _COUNTS],
        "most": [most],
        "durations": _edges(low, high, logarithmic=form.logarithmic),
    }
    return filled(_chart, form, said)


def _chart(form: _Form) -> dict[str, Any]:
    x = alt.X(
        "begin:Q",
        title="second of the run",
        scale=alt.Scale(domain=[hole("seconds")], nice=False, zero=False),
        axis=alt.Axis(grid=False, tickCount=8, tickMinStep=1),
    )
    layers = alt.layer(
        _counts(x, form),
        alt.layer(_lines(form), _points(form)),
        width=WIDTH,
        height=HEIGHT,
        title=theme.title(hole("title"), [hole("sentences")]),
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="independent")),
    )
    return theme.spec(layers, {})


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


def _counts(x: alt.X, form: _Form) -> alt.Chart:
    """Bars at the foot of the plot."""
    y = alt.Y(
        "n:Q",
        title="samples",
        scale=alt.Scale(domain=[hole("counts")], nice=False),
        axis=alt.Axis(orient="right", values=[hole("most")], grid=False, ticks=False, format=",d"),
    )
    hover = [alt.Tooltip("when:N", title="time"), alt.Tooltip("n:Q", title="samples", format=",d")]
    hover += [alt.Tooltip("never:Q", title="never came", format=",d")] if form.never else []
    bars: alt.Chart = alt.Chart(alt.NamedData("parts")).mark_bar(color=FRAME)
    return bars.encode(x=x, x2=alt.X2("end:Q"), y=y, y2=alt.Y2(datum=0), tooltip=hover)


def _percentiles(form: _Form) -> alt.Chart:
    folded = alt.Chart(alt.NamedData("parts")).transform_fold([*form.seen], as_=["percentile", "ms"])
    found: alt.Chart = folded.transform_calculate(
        middle="(datum.begin+datum.end)/2", shown=number_expression("datum.ms", "ms")
    )
    return found


def _edges(low: float, high: float, *, logarithmic: bool) -> list[float]:
    """Of the axis of durations, whose foot is left to the bars."""
    if logarithmic:
        size = math.log(high / low)
        return [low * math.exp(-(_COUNTS + _AIR) * size / (1 - _COUNTS)), high * math.exp(_AIR * size)]
    size = max(high - low, 0.2 * high) or 1.0
    return [max(low - (_COUNTS + _AIR) * size / (1 - _COUNTS), 0.0), high + _AIR * size]


def _y(form: _Form) -> alt.Y:
    domain = [hole("durations")]
    if form.logarithmic:
        scale = alt.Scale(type="log", domain=domain, nice=False)
    else:
        scale = alt.Scale(domain=domain, nice=False, zero=False)
    return alt.Y("ms:Q", title="ms", scale=scale, axis=alt.Axis(orient="left", tickCount=6))


def _colour(form: _Form) -> alt.Color:
    colours = [_LOOKS[name][0] for name in form.seen]
    return alt.Color("percentile:N", scale=alt.Scale(domain=list(form.seen), range=colours))


def _lines(form: _Form) -> alt.Chart:
    lines: alt.Chart = _percentiles(form).mark_line(strokeWidth=1.5)
    return lines.encode(x=alt.X("middle:Q"), y=_y(form), color=_colour(form))


def _points(form: _Form) -> alt.Chart:
    shapes = alt.Scale(domain=list(form.seen), range=[_LOOKS[name][1] for name in form.seen])
    points: alt.Chart = (
        _percentiles(form).transform_filter("isValid(datum.ms)").mark_point(filled=True, opacity=1, size=28)
    )
    return points.encode(
        x=alt.X("middle:Q"),
        y=_y(form),
        color=_colour(form),
        shape=alt.Shape("percentile:N", scale=shapes),
        tooltip=[
            alt.Tooltip("when:N", title="time"),
            alt.Tooltip("percentile:N", title="percentile"),
            alt.Tooltip("shown:N", title="time of it"),
            alt.Tooltip("n:Q", title="samples", format=",d"),
        ],
    )
