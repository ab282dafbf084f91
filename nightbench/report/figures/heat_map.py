"""Where latency lay at each moment of a run: a heat map, seconds by durations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from nightbench.history.runs import StoredRun
from nightbench.load.histogram import HIGHEST_OF_BUCKET_US
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.numbers import number_expression
from nightbench.report.charts.theme import BLUE, HEIGHT, VERMILION, WIDTH
from nightbench.report.figures.course import Course, Integers
from nightbench.report.figures.words import ms, samples, title_of
from nightbench.report.layout import count, percent
from nightbench.verdict.sets.windowed import NEVER_CAME

MOST_CELLS = 1_200
"""A chart of more is larger than all others of a run together; columns become wider until it has no more."""
MOST_BINS = 40
_A_DECADE = (96, 48, 24, 12, 8, 6, 4)
"""How many bins a factor of ten may have, the finest first; of 4 there are 39 from 1 µs to 1 h."""
_STRIP = 9
"""Points of the plot at its upper edge that belong to what never came."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Bins:
    """Bins of durations that lie evenly on a logarithmic axis: bin `number` ends at ``10 ** ((number + 1) / a_decade)``.

    Attributes:
        a_decade: How many a factor of ten has.
        of_bucket: The number of each bucket's bin.
        lowest, highest: The numbers of the first and the last one with samples.
    """

    a_decade: int
    of_bucket: Integers
    lowest: int
    highest: int

    def edges_ms(self, number: int) -> tuple[float, float]:
        """From where to where a bin goes."""
        return 10 ** (number / self.a_decade), 10 ** ((number + 1) / self.a_decade)


def heat_map(run: StoredRun, course: Course, *, what: str) -> Figure | None:
    """The heat map of a quantity; None of one that is stored as a whole, or of which nothing came.

    Args:
        run: The run.
        course: Of the quantity.
        what: The figure's title, but for the run.
    """
    whole = course.whole
    if len(course.parts) < 2 or whole.n == whole.never:
        return None
    bins = bins_of(whole.counters)
    cells, seconds = _cells(course, bins)
    title = title_of(run, what)
    datasets = {"cells": cells, "never": _never(course, seconds)}
    return Figure(
        key="heat-map",
        title=title,
        alt=_in_words(what, course, bins),
        spec=theme.spec(_chart(title, course, bins, seconds), datasets),
        table=_table(course, bins),
    )


def bins_of(counters: Integers) -> Bins:
    """The finest bins of which no more than `MOST_BINS` lie from the shortest to the longest sample."""
    filled = np.flatnonzero(counters[:NEVER_CAME])
    ends_ms = np.log10(np.maximum(HIGHEST_OF_BUCKET_US, 1) / 1000)
    for a_decade in _A_DECADE:
        numbers = np.floor(ends_ms * a_decade).astype(np.int64)
        lowest, highest = int(numbers[filled[0]]), int(numbers[filled[-1]])
        if highest - lowest < MOST_BINS:
            break
    return Bins(a_decade, numbers, lowest, highest)


def _cells(course: Course, bins: Bins) -> tuple[Rows, int]:
    """A row for each cell with samples, and how many seconds wide it is: its column, its bin, its samples."""
    factor = 1
    while True:
        seconds = course.seconds * factor
        columns: dict[int, Integers] = {}
        for part in course.parts:
            begin = (part.second - course.first) // seconds
            found = _by_bin(part.counters, bins)
            columns[begin] = columns[begin] + found if begin in columns else found
        if sum(np.count_nonzero(column) for column in columns.values()) <= MOST_CELLS:
            break
        factor *= 2
    rows = [
        {"c": begin, "b": int(place) + bins.lowest, "n": int(column[place])}
        for begin, column in sorted(columns.items())
        for place in np.flatnonzero(column)
    ]
    return rows, seconds


def _by_bin(counters: Integers, bins: Bins) -> Integers:
    filled = np.flatnonzero(counters[:NEVER_CAME])
    found = np.zeros(bins.highest - bins.lowest + 1, np.int64)
    np.add.at(found, bins.of_bucket[filled] - bins.lowest, counters[filled])
    return found


def _never(course: Course, seconds: int) -> Rows:
    found: dict[int, int] = {}
    for part in course.parts:
        if part.never:
            begin = (part.second - course.first) // seconds
            found[begin] = found.get(begin, 0) + part.never
    return [{"c": begin, "n": amount} for begin, amount in sorted(found.items())]


def _in_words(what: str, course: Course, bins: Bins) -> str:
    whole = course.whole
    by_bin = _by_bin(whole.counters, bins)
    low, high = bins.edges_ms(int(by_bin.argmax()) + bins.lowest)
    never = f"; {count(whole.never)} never came" if whole.never else ""
    return (
        f"{what}, {samples(whole.n)} from {ms(bins.edges_ms(bins.lowest)[0])} to {ms(bins.edges_ms(bins.highest)[1])}; "
        f"most often, {percent(by_bin.max() / whole.n)}, between {ms(low)} and {ms(high)}{never}."
    )


def _table(course: Course, bins: Bins) -> Table:
    """The rows of the map: how many samples of the whole run each bin has."""
    whole = course.whole
    by_bin = _by_bin(whole.counters, bins)
    rows = [
        (" to ".join(map(ms, bins.edges_ms(place + bins.lowest))), count(int(n)), percent(n / whole.n))
        for place, n in enumerate(by_bin)
        if n
    ]
    if whole.never:
        rows.append(("never came", count(whole.never), percent(whole.never / whole.n)))
    return Table(("latency", "samples", "share"), tuple(rows))


def _chart(title: str, course: Course, bins: Bins, seconds: int) -> theme.Layered:
    never = course.whole.never
    span = "a second" if seconds == 1 else f"{count(seconds)} seconds"
    sentences = [f"by when it was due, {span} a column; darker: more of the column's samples"]
    sentences += [f"at the upper edge: {count(never)} that never came"] if never else []
    x = alt.X(
        "begin:Q",
        title="second of the run",
        scale=alt.Scale(domain=[course.first, course.end], nice=False, zero=False),
        axis=alt.Axis(grid=False, tickCount=8, tickMinStep=1),
    )
    layers = [_map(x, course, bins, seconds)]
    layers += [_strip(x, course, seconds)] if never else []
    return alt.layer(*layers, width=WIDTH, height=HEIGHT, title=theme.title(title, sentences))


def _columns(name: str, course: Course, seconds: int) -> alt.Chart:
    end = f"min(datum.begin+{seconds},{course.end})"
    found: alt.Chart = (
        alt.Chart(alt.NamedData(name))
        .transform_calculate(begin=f"{course.first}+datum.c*{seconds}")
        .transform_calculate(end=end)
        .transform_calculate(when=_when(seconds))
    )
    return found


def _when(seconds: int) -> str:
    """A Vega expression of the seconds of a column."""
    if seconds == 1:
        return "'second '+format(datum.begin,',d')"
    return "'seconds '+format(datum.begin,',d')+' to '+format(datum.end-1,',d')"


def _map(x: alt.X, course: Course, bins: Bins, seconds: int) -> alt.Chart:
    edges = [bins.edges_ms(bins.lowest)[0], bins.edges_ms(bins.highest)[1]]
    room = (edges[1] / edges[0]) ** (_STRIP / HEIGHT) if course.whole.never else 1.0
    y = alt.Y(
        "low:Q",
        title="ms",
        scale=alt.Scale(type="log", domain=[edges[0], edges[1] * room], nice=False),
        axis=alt.Axis(tickCount=6, grid=False),
    )
    edge = "pow(10,(datum.b{})/" + f"{bins.a_decade})"
    words = [number_expression(f"datum.{end}", "ms") for end in ("low", "high")]
    cells = (
        _columns("cells", course, seconds)
        .transform_joinaggregate(all="sum(n)", groupby=["c"])
        .transform_calculate(low=edge.format(""), high=edge.format("+1"), share="datum.n/datum.all")
        .transform_calculate(latency=f"{words[0]}+' to '+{words[1]}")
        .mark_rect(color=BLUE)
    )
    found: alt.Chart = cells.encode(
        x=x,
        x2=alt.X2("end:Q"),
        y=y,
        y2=alt.Y2("high:Q"),
        opacity=alt.Opacity(
            "share:Q",
            scale=alt.Scale(type="sqrt", range=[0.12, 1], domainMin=0),
            legend=alt.Legend(format=".0%", tickCount=4),
        ),
        tooltip=_hover("latency", "share of what came"),
    )
    return found


def _strip(x: alt.X, course: Course, seconds: int) -> alt.Chart:
    strip: alt.Chart = _columns("never", course, seconds).mark_rect(color=VERMILION)
    return strip.encode(
        x=x,
        x2=alt.X2("end:Q"),
        y=alt.value(0),
        y2=alt.value(_STRIP - 2),
        tooltip=[
            alt.Tooltip("when:N", title="time"),
            alt.Tooltip("n:Q", title="never came", format=",d"),
        ],
    )


def _hover(latency: str, share: str) -> Sequence[alt.Tooltip]:
    return [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip(f"{latency}:N", title="latency"),
        alt.Tooltip("n:Q", title="samples", format=",d"),
        alt.Tooltip("share:Q", title=share, format=".1%"),
    ]
