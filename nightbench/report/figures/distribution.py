"""How a quantity is distributed, tonight against the nights of the baseline: it explains a change, and never gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.holes import filled, hole
from nightbench.report.charts.numbers import number_expression, rounded
from nightbench.report.charts.theme import BLUE, HEIGHT, INK, VERMILION, WIDTH, text
from nightbench.report.figures.course import Course, Part, merged, run_counts
from nightbench.report.figures.words import ms, samples, title_of
from nightbench.report.layout import change, count, signed
from nightbench.verdict.sets.quantiles import QUANTILES, QuantileView, quantile_view

_STEP = 0.05
"""Of the curves, in decades of what lies beyond: twenty points from P90 to P99."""
_TICKS = {
    "P50": 0.5,
    "P75": 0.75,
    "P90": 0.9,
    "P95": 0.95,
    "P99": 0.99,
    "P99.9": 0.999,
    "P99.99": 0.9999,
    "P99.999": 0.99999,
}
_TONIGHT, _BASELINE = "tonight", "baseline"
_AIR = 1.15

Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class _Compared:
    """Both sides, and how the quantiles moved; of tonight alone without a baseline."""

    tonight: Part
    baseline: Part | None
    nights: int
    view: QuantileView | None


def distribution(run: StoredRun, course: Course, earlier: Sequence[Course], *, what: str) -> Figure | None:
    """The quantile curves of both; None when nothing came tonight.

    The nights are what is resampled for the bands, so that there are none with fewer than two earlier ones.

    Args:
        run: Tonight's.
        course: Of the quantity, tonight.
        earlier: The same of one run of each night of the baseline; may be empty.
        what: The figure's title, but for the run.
    """
    compared = _compared(course, earlier)
    reach = math.log10(compared.tonight.n)
    rows = _curve(compared.tonight, _TONIGHT, reach)
    if not rows:
        return None
    rows += [] if compared.baseline is None else _curve(compared.baseline, _BASELINE, reach)
    bands = _bands(compared.view)
    title = title_of(run, what)
    return Figure(
        key="distribution",
        title=title,
        alt=_in_words(what, compared),
        spec={**_spec(title, compared, rows, bands), "datasets": {"curves": rows, "bands": bands}},
        table=_table(compared),
    )


def _compared(course: Course, earlier: Sequence[Course]) -> _Compared:
    if not earlier:
        return _Compared(course.whole, None, 0, None)
    view = None
    if len(earlier) > 1:
        view = quantile_view([run_counts(night) for night in earlier], [run_counts(course)])
    return _Compared(course.whole, merged(earlier), len(earlier), view)


def _place(quantile: float) -> float:
    """Where a quantile stands: 0 for the least, 1 for P90, 2 for P99, 3 for P99.9."""
    return round(-math.log10(1 - quantile), 6)


def _curve(part: Part, side: str, reach: float) -> Rows:
    """Points of the curve, as far as there are samples enough, and those of the ticks among them.

    Args:
        part: The samples.
        side: Whose they are.
        reach: The last place, beyond which tonight has no sample any more.
    """
    ticks = {_place(quantile): quantile for quantile in _TICKS.values()}
    steps = {round(number * _STEP, 6): 0.0 for number in range(math.floor(reach / _STEP) + 1)}
    at = {place: ticks.get(place, 1 - 10**-place) for place in sorted({**steps, **ticks}) if place <= reach}
    found = part.quantiles_ms(tuple(at.values()))
    return [
        {
            "at": place,
            "q": round(100 * quantile, 4),
            "ms": rounded(value),
            "side": side,
            "named": place in ticks,
        }
        for (place, quantile), value in zip(at.items(), found, strict=True)
        if value is not None
    ]


def _bands(view: QuantileView | None) -> Rows:
    """Where tonight's quantiles may lie by the samples and nights that there are, as far as both ends are known."""
    return [
        {
            "at": _place(each.quantile),
            "low": rounded(each.before * (1 + each.low)),
            "high": rounded(each.before * (1 + each.high)),
            "label": f"{change(each.shift)} ({signed(each.low)} to {change(each.high)})",
        }
        for each in (() if view is None else view.shifts)
        if each.before is not None and each.low is not None and each.high is not None and each.low > -1
    ]


def _name(quantile: float) -> str:
    return next(name for name, value in _TICKS.items() if value == quantile)


def _sides(compared: _Compared) -> list[tuple[float, float | None, float | None]]:
    """Each quantile before and after."""
    after = compared.tonight.quantiles_ms(QUANTILES)
    baseline = compared.baseline
    before = (None,) * len(QUANTILES) if baseline is None else baseline.quantiles_ms(QUANTILES)
    return list(zip(QUANTILES, before, after, strict=True))


def _table(compared: _Compared) -> Table:
    shifts = {} if compared.view is None else {each.quantile: each for each in compared.view.shifts}
    if compared.baseline is None:
        alone = tuple((_name(quantile), ms(after)) for quantile, _, after in _sides(compared))
        return Table(("percentile", _TONIGHT), alone)
    rows = []
    for quantile, before, after in _sides(compared):
        shift = shifts.get(quantile)
        effect = after / before - 1 if after is not None and before else None
        known = shift is not None and shift.low is not None
        band = f"{signed(shift.low)} to {_end(shift.high)}" if shift is not None and known else "–"
        rows.append((_name(quantile), ms(after), ms(before), change(effect), band))
    head = ("percentile", _TONIGHT, _nights(compared), "change", "95 % band of it")
    return Table(head, tuple(rows))


def _end(high: float | None) -> str:
    return "no end" if high is None else change(high)


def _in_words(what: str, compared: _Compared) -> str:
    said = [
        f"{_name(quantile)} {ms(after)}"
        + ("" if before is None else f" against {ms(before)} ({change(after / before - 1)})")
        for quantile, before, after in _sides(compared)
        if after is not None
    ]
    baseline = compared.baseline
    against = (
        "without a baseline" if baseline is None else f"against {_nights(compared)}, {samples(baseline.n)}"
    )
    never = f"; {count(compared.tonight.never)} never came tonight" if compared.tonight.never else ""
    return f"{what}, {samples(compared.tonight.n)} tonight {against}: {', '.join(said) or 'too few samples'}{never}."


def _nights(compared: _Compared) -> str:
    return f"{count(compared.nights)} earlier night{'' if compared.nights == 1 else 's'}"


def _sentences(compared: _Compared, bands: Rows) -> list[str]:
    never = compared.tonight.never
    ends = f"{count(never)} never came tonight: its curve ends before them" if never else ""
    if compared.baseline is None:
        return ["tonight alone: no baseline yet", ends]
    why = "no bands: too few samples or nights"
    return [
        f"tonight against {_nights(compared)}, {samples(compared.baseline.n)}",
        "bars: 95 % band of the change, by how nights and seconds differ" if bands else why,
        ends,
    ]


def _spec(title: str, compared: _Compared, rows: Rows, bands: Rows) -> dict[str, Any]:
    sides = tuple(side for side in (_TONIGHT, _BASELINE) if any(row["side"] == side for row in rows))
    values = [row["ms"] for row in rows] + [row[end] for row in bands for end in ("low", "high")]
    farthest = max(row["at"] for row in rows)
    ticks = {name: _place(quantile) for name, quantile in _TICKS.items()}
    shown = {name: place for name, place in ticks.items() if place <= farthest}
    said = {
        "title": text(title),
        "sentences": [text(line) for line in _sentences(compared, bands) if line],
        "places": [0, farthest + 0.05],
        "ticks": list(shown.values()),
        "labels": "".join(f"abs(datum.value-{place})<1e-4?'{name}':" for name, place in shown.items()) + "''",
        "durations": [min(values) / _AIR, max(values) * _AIR],
    }
    return filled(_chart, sides, said)


def _chart(sides: tuple[str, ...]) -> dict[str, Any]:
    x = alt.X(
        "at:Q",
        title="percentile, on a scale that shows the tail",
        scale=alt.Scale(domain=[hole("places")], nice=False),
        axis=alt.Axis(values=[hole("ticks")], labelExpr=hole("labels"), labelOverlap=True),
    )
    y = alt.Y(
        "ms:Q",
        title="ms",
        scale=alt.Scale(type="log", domain=[hole("durations")], nice=False),
        axis=alt.Axis(tickCount=6),
    )
    layers = alt.layer(
        *_band_layers(),
        _lines(x, y, sides),
        _points(sides),
        width=WIDTH,
        height=HEIGHT,
        title=theme.title(hole("title"), [hole("sentences")]),
    )
    return theme.spec(layers, {})


def _band_layers() -> tuple[alt.Chart, ...]:
    base = alt.Chart(alt.NamedData("bands")).encode(
        x=alt.X("at:Q"), tooltip=[alt.Tooltip("label:N", title="change, 95 % band")]
    )
    ends = base.mark_tick(color=INK, orient="horizontal", size=9, thickness=1.5)
    rule = base.mark_rule(color=INK, strokeWidth=1.5).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    return rule, ends.encode(y=alt.Y("low:Q")), ends.encode(y=alt.Y("high:Q"))


def _curves(sides: Sequence[str]) -> alt.Chart:
    found: alt.Chart = alt.Chart(alt.NamedData("curves")).encode(
        color=alt.Color(
            "side:N",
            scale=alt.Scale(
                domain=list(sides), range=[VERMILION if side == _TONIGHT else BLUE for side in sides]
            ),
        )
    )
    return found


def _lines(x: alt.X, y: alt.Y, sides: Sequence[str]) -> alt.Chart:
    dashes = alt.Scale(domain=list(sides), range=[[1, 0] if side == _TONIGHT else [5, 3] for side in sides])
    lines: alt.Chart = _curves(sides).mark_line(strokeWidth=2, interpolate="linear")
    return lines.encode(x=x, y=y, strokeDash=alt.StrokeDash("side:N", scale=dashes))


def _points(sides: Sequence[str]) -> alt.Chart:
    """What is hovered: each step of a curve; of these the percentiles with a name are seen."""
    points: alt.Chart = (
        _curves(sides)
        .transform_calculate(shown=number_expression("datum.ms", "ms"), percentile="'P'+datum.q")
        .mark_point(filled=True, size=60)
    )
    shapes = alt.Scale(
        domain=list(sides), range=["diamond" if side == _TONIGHT else "circle" for side in sides]
    )
    return points.encode(
        x=alt.X("at:Q"),
        y=alt.Y("ms:Q"),
        shape=alt.Shape("side:N", scale=shapes),
        opacity=alt.condition("datum.named", alt.value(1), alt.value(0)),
        tooltip=[
            alt.Tooltip("side:N", title="night"),
            alt.Tooltip("percentile:N", title="percentile"),
            alt.Tooltip("shown:N", title="latency"),
        ],
    )
