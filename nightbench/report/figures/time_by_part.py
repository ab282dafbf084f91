"""Where the time of an operation went: each of its parts by itself, P50 and P95."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.numbers import rounded
from nightbench.report.charts.theme import BLUE, INK, ORANGE, WIDTH
from nightbench.report.figures.measured import Measured
from nightbench.report.figures.words import ms, title_of
from nightbench.report.layout import percent

PARTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "database": {
            "pool wait": "pool.wait",
            "begin and tenant": "query.begin_time",
            "execute": "query.execute_time",
            "commit": "query.commit_time",
        },
        "websocket": {
            "connect: TCP": "connection.tcp_time",
            "connect: TLS": "connection.tls_time",
            "connect: upgrade": "connection.upgrade_time",
            "reply: first chunk": "message.first_chunk_time",
            "reply: whole": "message.service_time",
        },
    }
)
"""The parts of each suite's operations in order, by their quantities."""
_WHOLE = {"database": "query.service_time"}
"""Whose mean those of the parts add up to."""
_TITLES = {"database": "Where database time goes", "websocket": "Connecting and replies by part"}
_LOOKS = {"P50": BLUE, "P95": ORANGE}
_PART = 44
"""Points of height that a part takes."""


@dataclass(frozen=True)
class _Part:
    """One part in ms; None where it is missing. `share` is of the mean of the whole."""

    name: str
    p50: float | None
    p95: float | None
    mean: float | None
    share: float | None


def time_by_part(run: StoredRun) -> Figure | None:
    """The bars of the parts; None when none was measured."""
    parts = _parts(run)
    if all(part.p50 is None and part.p95 is None for part in parts):
        return None
    title = title_of(run, _TITLES[run.suite])
    return Figure(
        key="time-by-part",
        title=title,
        alt=_in_words(run, parts),
        spec=theme.spec(_chart(title, run, parts), {"parts": _rows(parts)}),
        table=_table(parts),
    )


def _parts(run: StoredRun) -> list[_Part]:
    metrics = Measured.of(run)
    whole = metrics.value(f"{_WHOLE.get(run.suite)}.mean")
    found = []
    for name, quantity in PARTS.get(run.suite, {}).items():
        p50, p95, mean = (metrics.value(f"{quantity}.{each}") for each in ("p50", "p95", "mean"))
        if (p50, p95, mean) != (None, None, None):
            share = mean / whole if mean is not None and whole else None
            found.append(_Part(name, p50, p95, mean, share))
    return found


def _rows(parts: list[_Part]) -> list[dict[str, Any]]:
    return [
        {"part": part.name, "statistic": name, "ms": rounded(value), "shown": ms(value)}
        for part in parts
        for name, value in (("P50", part.p50), ("P95", part.p95))
        if value is not None
    ]


def _table(parts: list[_Part]) -> Table:
    shared = any(part.share is not None for part in parts)
    head = ("part", "P50", "P95", "mean", *(("share of the mean",) if shared else ()))
    return Table(
        head,
        tuple(
            (part.name, ms(part.p50), ms(part.p95), ms(part.mean), *((_share(part),) if shared else ()))
            for part in parts
        ),
    )


def _share(part: _Part) -> str:
    return "–" if part.share is None else percent(part.share)


def _in_words(run: StoredRun, parts: list[_Part]) -> str:
    said = "; ".join(
        f"{part.name} {ms(part.p50)} at P50, {ms(part.p95)} at P95"
        + ("" if part.share is None else f", {percent(part.share)} of the mean")
        for part in parts
    )
    return f"{_TITLES[run.suite]}: {said}."


def _sentences(run: StoredRun) -> list[str]:
    if run.suite in _WHOLE:
        return ["each part by itself: percentiles do not add up, means do (see the table)"]
    return ["each part by itself; the whole reply has the first chunk in it"]


def _chart(title: str, run: StoredRun, parts: list[_Part]) -> theme.Layered:
    rows = _rows(parts)
    seen = [name for name in _LOOKS if any(row["statistic"] == name for row in rows)]
    base = alt.Chart(alt.NamedData("parts")).encode(
        y=alt.Y(
            "part:N",
            title=None,
            sort=[part.name for part in parts],
            axis=alt.Axis(ticks=False, domain=False),
            scale=alt.Scale(paddingInner=0.25),
        ),
        yOffset=alt.YOffset("statistic:N", sort=seen),
        tooltip=[
            alt.Tooltip("part:N", title="part"),
            alt.Tooltip("statistic:N", title="percentile"),
            alt.Tooltip("shown:N", title="time"),
        ],
    )
    x = alt.X(
        "ms:Q",
        title="ms",
        scale=alt.Scale(domain=[0, 1.2 * max(row["ms"] for row in rows)], nice=False),
        axis=alt.Axis(tickCount=6),
    )
    colours = alt.Scale(domain=seen, range=[_LOOKS[name] for name in seen])
    bars = base.mark_bar().encode(x=x, color=alt.Color("statistic:N", scale=colours))
    values = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(
        x=alt.X("ms:Q"), text=alt.Text("shown:N")
    )
    return alt.layer(
        bars,
        values,
        width=WIDTH,
        height=_PART * len(parts),
        title=theme.title(title, _sentences(run)),
    )
