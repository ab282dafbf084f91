"""The knee as a chart: response time and success over the load, each step a point, the interval a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from nightbench.capacity.answer import answer_of, loaded
from nightbench.capacity.finding import Found
from nightbench.capacity.interval import interval_of
from nightbench.capacity.loads import loads_of
from nightbench.capacity.search import Result, Step
from nightbench.capacity.step_plan import unit_of
from nightbench.history.record import clean_text
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.theme import BLUE, GREEN, GROUND, HEIGHT, ORANGE, PALE, VERMILION, WIDTH
from nightbench.report.layout import number
from nightbench.report.overview import MAIN
from nightbench.target import Target

_WORDS: Mapping[Result, str] = {"met": "kept", "missed": "missed", "invalid": "invalid"}
_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "kept": ("circle", BLUE, BLUE),
    "missed": ("triangle-up", VERMILION, VERMILION),
    "invalid": ("cross", PALE, GROUND),
}
"""Shape, stroke and fill of each result, in the order of the legend."""
_BELOW = 90
"""Points of the height of the success rates."""
_WIDE = 4.0
"""Loads that differ by so many times stand on a logarithmic axis."""

Rows = list[dict[str, Any]]


def knee_of(found: Found, *, environment: str) -> Figure | None:
    """The chart of a search; None where no load was tried.

    Its data are the named sets of `data_of`. All text in it is free of secrets and of control characters.
    """
    if not found.steps:
        return None
    data = data_of(found)
    chart = alt.vconcat(_times(found, data), _success(found, data), spacing=8).properties(
        title=theme.title(f"{found.suite} capacity, {found.tier}, {environment}", _sentences(found))
    )
    loads = [step.load for step in found.steps]
    return Figure(
        key="knee",
        title=theme.text(f"{found.suite} capacity: P95 response time over the load"),
        alt=theme.text(
            f"P95 response time and success of {len(found.steps)} steps from {min(loads)} to "
            f"{loaded(found.suite, max(loads))}"
        )
        + f". {answer_of(found)}.",
        spec=theme.spec(chart, data),
        table=_table(found),
    )


def data_of(found: Found) -> dict[str, Rows]:
    """What the spec draws: ``steps``, ``line`` (a median a load), ``answer`` and the limits of both panels."""
    least, _ = _times_range(found)
    return {
        "steps": [_point(found, step, least) for step in found.steps],
        "line": [
            {"load": each.load, "p95": each.p95_ms, "success": each.success}
            for each in loads_of(found.steps)
            if each.p95_ms and each.success is not None
        ],
        "answer": _band(found),
        "times": _limit(_target(found, "response_time.p95"), "ms"),
        "rates": _limit(_target(found, "success_rate"), "%"),
    }


def _point(found: Found, step: Step, least: float) -> dict[str, Any]:
    """A step without a value stands on the axis: that it was tried says something."""
    return {
        "load": step.load,
        "p95": step.p95_ms or least,
        "success": step.success,
        "result": _WORDS[step.result],
        "what": loaded(found.suite, step.load),
        "p95_said": number(step.p95_ms, "ms"),
        "success_said": number(step.success, "%"),
        "throughput": number(step.throughput, "1/s"),
        "why": theme.text("; ".join(step.reasons)) or "–",
    }


def _band(found: Found) -> Rows:
    """The interval of the knee; a line where only one of its ends is known."""
    ends = [load for load in interval_of(found.steps, found.answer) if load is not None]
    return [{"begin": ends[0], "end": ends[-1]}] if ends else []


def _target(found: Found, quantity: str) -> Target | None:
    name = f"{MAIN[found.suite]}.{quantity}"
    return next((target for target in found.targets if target.metric == name), None)


def _limit(target: Target | None, unit: str) -> Rows:
    if target is None:
        return []
    limit = target.limit if target.most is None else target.most
    label = theme.text(f"target {target.op} {number(limit, unit)}")
    return [{"limit": limit, "label": label}] if limit > 0 else []


def _times_range(found: Found) -> tuple[float, float]:
    values = [step.p95_ms for step in found.steps if step.p95_ms]
    values += [row["limit"] for row in _limit(_target(found, "response_time.p95"), "ms")]
    return (min(values) / 1.6, max(values) * 1.6) if values else (1.0, 1000.0)


def _loads(found: Found, answer: Rows, *, titled: bool) -> alt.X:
    loads = [step.load for step in found.steps]
    shown = [*loads, *(load for row in answer for load in row.values())]
    least, most = min(shown), max(shown)
    wide = most >= _WIDE * least
    room = max(0.06 * (most - least), 0.5)
    domain = [least / 1.12, most * 1.12] if wide else [least - room, most + room]
    scale = alt.Scale(
        type="log" if wide else "linear", domain=domain, nice=False, zero=alt.Undefined if wide else False
    )
    axis = alt.Axis(
        title=unit_of(found.suite) if titled else None,
        labels=titled,
        labelOverlap="greedy",
        labelSeparation=8,
        format=",d",
        tickMinStep=1,
        values=sorted(set(loads)) if wide else alt.Undefined,
    )
    return alt.X("load:Q", scale=scale, axis=axis)


def _times(found: Found, data: Mapping[str, Rows]) -> theme.Layered:
    scale = alt.Scale(type="log", domain=list(_times_range(found)), nice=False, clamp=True)
    y = alt.Y("p95:Q", title="P95 response time (ms)", scale=scale, axis=alt.Axis(tickCount=5, format="~s"))
    return _panel(found, data, y=y, limit="times", height=HEIGHT)


def _success(found: Found, data: Mapping[str, Rows]) -> theme.Layered:
    values = [row["success"] for row in data["steps"] if row["success"] is not None]
    values += [row["limit"] for row in data["rates"]]
    least = max(min(values, default=0.0) - 3, 0.0)
    scale = alt.Scale(domain=[least, 100.5], nice=False, zero=False, clamp=True)
    y = alt.Y("success:Q", title=f"{MAIN[found.suite]} success (%)", scale=scale, axis=alt.Axis(tickCount=3))
    return _panel(found, data, y=y, limit="rates", height=_BELOW)


def _panel(found: Found, data: Mapping[str, Rows], *, y: alt.Y, limit: str, height: int) -> theme.Layered:
    """One of the two above each other; the lower one says what the axis of loads is."""
    x = _loads(found, data["answer"], titled=height == _BELOW)
    line = alt.Chart(alt.NamedData("line")).mark_line(color=BLUE, strokeWidth=1, opacity=0.6)
    points = alt.Chart(alt.NamedData("steps")).mark_point(opacity=1, strokeWidth=1.4, size=60)
    shown = points.transform_filter(f"isValid(datum.{y.shorthand.removesuffix(':Q')})")
    panel: theme.Layered = alt.layer(
        *_answer_layers(x, data["answer"]),
        *_limit_layers(limit),
        line.encode(x=x, y=alt.Y(y.shorthand)),
        shown.encode(x=x, y=y, tooltip=_tooltip(found), **_looks(data["steps"])),
    ).properties(width=WIDTH, height=height)
    return panel


def _answer_layers(x: alt.X, answer: Rows) -> list[alt.Chart]:
    ends = {"x": x.copy(deep=True), "x2": alt.X2("end:Q")}
    ends["x"].shorthand = "begin:Q"
    base = alt.Chart(alt.NamedData("answer"))
    if all(row["begin"] == row["end"] for row in answer):
        return [base.mark_rule(color=ORANGE, strokeWidth=2).encode(x=ends["x"])]
    return [base.mark_rect(color=ORANGE, opacity=0.3).encode(**ends)]


def _limit_layers(name: str) -> list[alt.Chart]:
    base = alt.Chart(alt.NamedData(name)).encode(y=alt.Y("limit:Q"))
    text = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2, fontSize=11, color=GREEN)
    return [
        base.mark_rule(color=GREEN, strokeWidth=2),
        text.encode(x=alt.value(0), text=alt.Text("label:N")),
    ]


def _looks(steps: Rows) -> dict[str, Any]:
    results = [result for result in _LOOKS if any(row["result"] == result for row in steps)]
    kinds = (("shape", alt.Shape), ("stroke", alt.Stroke), ("fill", alt.Fill))
    return {
        name: kind(
            "result:N", scale=alt.Scale(domain=results, range=[_LOOKS[each][part] for each in results])
        )
        for part, (name, kind) in enumerate(kinds)
    }


def _tooltip(found: Found) -> list[alt.Tooltip]:
    shown = (
        ("what", "load"),
        ("result", "targets"),
        ("p95_said", "P95 response"),
        ("success_said", f"{MAIN[found.suite]} success"),
        ("throughput", "throughput"),
        ("why", "why"),
    )
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in shown]


def _sentences(found: Found) -> Sequence[str]:
    _, _, known = answer_of(found).partition(": ")
    return [known, "a point is a step, the line joins their medians, the band is where the knee is"]


def _table(found: Found) -> Table:
    return Table(
        (
            unit_of(found.suite),
            "targets",
            "P95 response",
            f"{MAIN[found.suite]} success",
            "throughput",
            "why",
        ),
        tuple(
            (
                str(step.load),
                _WORDS[step.result],
                number(step.p95_ms, "ms"),
                number(step.success, "%"),
                number(step.throughput, "1/s"),
                clean_text("; ".join(step.reasons)),
            )
            for step in found.steps
        ),
    )
