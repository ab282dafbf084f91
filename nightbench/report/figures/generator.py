"""How the generator fared in a run: what it used, and how near that is to where a measurement is not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.load.health import MAX_CPU_SHARE, MAX_GC_PAUSE_MS, MAX_LAG_MS, MAX_RUN_DELAY
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.holes import filled, hole
from nightbench.report.charts.numbers import rounded
from nightbench.report.charts.theme import BLUE, INK, VERMILION, WIDTH, text
from nightbench.report.figures.measured import Measured
from nightbench.report.figures.words import title_of
from nightbench.report.layout import number, percent

_LAGS = {
    "lateness of sends": ("message.send_lag", "query.send_lag"),
    "lateness of connects": ("connection.send_lag",),
}
_LIMITED = {
    "lateness of clock ticks, P99": ("generator.tick_lag.p99", "ms", MAX_LAG_MS),
    "CPU, share of a core": ("generator.cpu_share", "%", 100 * MAX_CPU_SHARE),
    "waiting for a core": ("generator.run_delay", "%", 100 * MAX_RUN_DELAY),
    "longest pause of the collector": ("generator.gc_pause.max", "ms", MAX_GC_PAUSE_MS),
}
_UNLIMITED = {
    "stolen by the hypervisor": ("generator.stolen", "%"),
    "CPU time": ("generator.cpu_seconds", "s"),
    "memory": ("generator.memory", "MiB"),
    "open files": ("generator.open_files", "1"),
    "read from storage": ("generator.storage_read", "MiB"),
    "written to storage": ("generator.storage_written", "MiB"),
}
_LIMIT = [{"at": 1, "label": "past it the measurement is invalid"}]
_BAR = 24
"""Points of height that one takes."""


@dataclass(frozen=True)
class _Figure:
    """One thing that the generator saw of itself; past `limit` the measurement is invalid."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def used(self) -> float | None:
        """The part of the limit."""
        return None if self.limit is None else self.value / self.limit

    @property
    def promise(self) -> str:
        return "–" if self.limit is None else number(self.limit, self.unit)


def generator(run: StoredRun) -> Figure | None:
    """The bars of what has a limit, and a table of all; None of a run that tells nothing of it."""
    figures = list(_figures(Measured.of(run)))
    limited = [each for each in figures if each.limit is not None]
    if not limited:
        return None
    title = title_of(run, "Generator health")
    return Figure(
        key="generator",
        title=title,
        alt=_in_words(limited),
        spec={**_spec(title, limited), "datasets": {"health": _rows(limited), "limit": _LIMIT}},
        table=Table(
            ("what", "value", "limit", "part of it"),
            tuple(
                (each.name, number(each.value, each.unit), each.promise, _part(each.used)) for each in figures
            ),
        ),
    )


def _figures(metrics: Measured) -> Iterator[_Figure]:
    for name, quantities in _LAGS.items():
        for quantity in quantities:
            # with too few samples for P99 the generator judges P95
            for statistic in ("p99", "p95"):
                value = metrics.value(f"{quantity}.{statistic}")
                if value is not None:
                    yield _Figure(f"{name}, {statistic.upper()}", value, "ms", MAX_LAG_MS)
                    break
    for name, (metric, unit, limit) in _LIMITED.items():
        if (value := metrics.value(metric)) is not None:
            yield _Figure(name, value, unit, limit)
    for name, (metric, unit) in _UNLIMITED.items():
        if (value := metrics.value(metric)) is not None:
            yield _Figure(name, value, unit)


def _part(used: float | None) -> str:
    return "–" if used is None else percent(used)


def _rows(figures: list[_Figure]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "used": rounded(each.used or 0.0),
            "over": each.used is not None and each.used > 1,
            "shown": number(each.value, each.unit),
            "limit": each.promise,
        }
        for each in figures
    ]


def _in_words(figures: list[_Figure]) -> str:
    worst = max(figures, key=lambda each: each.used or 0.0)
    over = [each.name for each in figures if (each.used or 0.0) > 1]
    said = f"past its limit: {', '.join(over)}" if over else "all within their limits"
    return (
        f"Generator health: {said}; nearest to its limit is {worst.name}, {number(worst.value, worst.unit)} "
        f"of {worst.promise}."
    )


def _spec(title: str, figures: list[_Figure]) -> dict[str, Any]:
    most = max(1.0, *(each.used or 0.0 for each in figures))
    said = {"title": text(title), "names": [each.name for each in figures], "shares": [0, 1.2 * most]}
    return filled(_chart, len(figures), said)


def _chart(amount: int) -> dict[str, Any]:
    """Of so many figures."""
    data = alt.NamedData("health")
    hover = [
        alt.Tooltip("name:N", title="what"),
        alt.Tooltip("shown:N", title="value"),
        alt.Tooltip("limit:N", title="limit"),
        alt.Tooltip("used:Q", title="part of it", format=".1%"),
    ]
    base = alt.Chart(data).encode(
        y=alt.Y(
            "name:N",
            title=None,
            sort=[hole("names")],
            axis=alt.Axis(ticks=False, domain=False, labelLimit=220),
        ),
        tooltip=hover,
    )
    x = alt.X(
        "used:Q",
        title="part of the limit",
        scale=alt.Scale(domain=[hole("shares")], nice=False),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    bars = base.mark_bar().encode(
        x=x, color=alt.condition("datum.over", alt.value(VERMILION), alt.value(BLUE))
    )
    values = base.mark_text(align="left", dx=4, fontSize=11, color=INK)
    limit = alt.Chart(alt.NamedData("limit")).mark_rule(color=VERMILION, strokeWidth=2)
    layers = alt.layer(
        bars,
        limit.encode(x=alt.X("at:Q"), tooltip=[alt.Tooltip("label:N", title="limit")]),
        values.encode(x=alt.X("used:Q"), text=alt.Text("shown:N")),
        width=WIDTH,
        height=_BAR * amount,
        title=theme.title(
            hole("title"), ["past its limit the generator was starved: the measurement is invalid"]
        ),
    )
    return theme.spec(layers, {})
