"""The trends as pages of markdown: one that leads, and one with all charts for each suite of each tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from nightbench.report.charts.drawing import UndrawnError
from nightbench.report.charts.figure import Figure
from nightbench.report.charts.metric_nights import MetricNight
from nightbench.report.charts.pictures import pictures
from nightbench.report.charts.spec import spec_of
from nightbench.report.layout import change, number
from nightbench.report.markdown import code, image, inline, items, page, said, table
from nightbench.report.promises import missed_in_words
from nightbench.report.release_words import with_release
from nightbench.trend_report.instants import day, span, time
from nightbench.trend_report.order import NOT_AS_EVER, REST, ordered, rank
from nightbench.trend_report.trends import MetricTrend, SuiteTrend
from nightbench.verdict.judgement import Change
from nightbench.wording import amount

KEY = "nightbench-trend"
MOST_BYTES = 1024 * 1024
"""Of the charts of one suite; those of the leading page have a third of it."""
MOST_NIGHTS = 365
MOST_CHARTS = 60
"""Of one suite."""
MOST_LEADING = 8
"""Charts of the leading page: what is not as ever, then what each suite is about."""
MOST_SECONDS = 60.0
"""That the charts of one suite may take."""
_Drawn = dict[tuple[str, str, str], str]
"""Charts as markdown, by tier, suite and metric."""
_HEAD = ("Suite", "Nights", "Metrics", "Missed", "Worse", "Changes")


@dataclass(frozen=True)
class TrendPage:
    """One page.

    Attributes:
        key: Under which it has a history.
        title: In one line of plain text.
        text: Markdown; its text is scrubbed.
    """

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class SuitePart:
    """What the pages are made of, of one suite of one tier.

    Attributes:
        trend: Its nights.
        figures: What explains the last one.
    """

    trend: SuiteTrend
    figures: Sequence[Figure] = ()


def trend_pages(
    parts: Sequence[SuitePart], environment: str, place: str, *, report: str = ""
) -> tuple[TrendPage, ...]:
    """The leading page, then one for each of `parts`; it draws, which blocks for seconds.

    Args:
        parts: All suites and tiers that were asked for.
        environment: Theirs.
        place: Where the nights lie.
        report: Where the whole report lies as one file; empty when there is none.
    """
    if not parts:
        title = f"No history yet: nothing of environment {environment} is stored"
        told = f"No night is stored in {code(place)}; run one, such as {code('nightbench run quick')}, and come back."
        return (TrendPage(KEY, title, page(f"# {said(title)}", told)),)
    of_suites = [_suite_page(part) for part in parts]
    drawn = {key: picture for _, known in of_suites for key, picture in known.items()}
    trends = [part.trend for part in parts]
    title = f"Trend of {span(trends)} in {environment}"
    text = page(
        f"# {said(title)}",
        items(_news(trends)) or "Nothing changed for good, and the last night is as ever.",
        table(_HEAD, [_row(trend) for trend in trends]),
        *_leading(trends, drawn),
        f"All charts of a suite: artifacts {', '.join(code(each.key) for each, _ in of_suites)}",
        f"All of it as one file: {code(report)}" if report else "",
    )
    return (TrendPage(KEY, title, text), *(each for each, _ in of_suites))


def _row(trend: SuiteTrend) -> list[str]:
    worse = sum(each.line.state in ("regression", "suspect") for each in trend.metrics)
    changes = {each.group for each in trend.changes}
    counts = (trend.nights, len(trend.metrics), len(trend.missed), worse, len(changes))
    return [f"{trend.tier} {trend.suite}", *map(str, counts)]


def _news(trends: Sequence[SuiteTrend]) -> Iterator[str]:
    """What the last night missed, what changed for good, what is not as ever in it, and what else has to be known."""
    for trend in trends:
        place = f"{trend.tier} {trend.suite}"
        for target, unit in trend.missed:
            yield f"{place}, last night: {said(missed_in_words(target, unit))}"
        for each in trend.changes:
            yield f"{place}: {code(each.metric)} changed {inline(change(each.point.effect))} {_since(trend, each)}"
        for metric in trend.metrics:
            if metric.line.state in ("regression", "suspect", "missing"):
                effect = "" if metric.line.effect is None else f" ({inline(change(metric.line.effect))})"
                yield f"{place}: {code(metric.line.metric)} is {metric.line.state} in the last night{effect}"
        yield from (said(note) for note in trend.judged.notes)


def _since(trend: SuiteTrend, changed: Change) -> str:
    """``with the night of 2026-11-12``, and with which release of the subject."""
    history = next((each.nights for each in trend.metrics if each.line.metric == changed.metric), None)
    if history is None:
        return f"with the night of {code(changed.night)}"
    release = inline(with_release(history, changed.night))
    return f"with the night of {_night(history.nights, changed.night)}{release}"


def _night(known: Sequence[MetricNight], night: str) -> str:
    began = next((each.started_at for each in known if each.night == night), None)
    if began is None:
        return code(night)
    alone = sum(day(each.started_at) == day(began) for each in known) == 1
    return day(began) if alone else f"{day(began)} {time(began)} UTC"


def _leading(trends: Sequence[SuiteTrend], drawn: _Drawn) -> Iterator[str]:
    """The pictures that come first, in as many bytes as there are for them."""
    left = MOST_BYTES // 3
    known = [(trend, each) for trend in trends for each in trend.metrics if rank(trend, each) < REST]
    chosen = sorted(known, key=lambda each: rank(*each))[:MOST_LEADING]
    for trend, each in chosen:
        picture = drawn.get((trend.tier, trend.suite, each.line.metric), "")
        if picture and len(picture) <= left:
            left -= len(picture)
            yield picture


def _suite_page(part: SuitePart) -> tuple[TrendPage, _Drawn]:
    """The page of a suite, and the charts of its metrics."""
    trend = part.trend
    shown = ordered(trend)[:MOST_CHARTS]
    drawn, problem = _drawn(shown, part.figures)
    title = f"{trend.tier} {trend.suite}: {span([trend])}"
    rows = [_metric_row(each) for each in trend.metrics]
    trends = [drawn[each.line.metric] for each in shown if each.line.metric in drawn]
    why = [drawn[each.key] for each in part.figures if each.key in drawn]
    less = len(shown) + len(part.figures) - len(drawn)
    text = page(
        f"# {said(title)}",
        table(["Metric", "", "last night", "baseline", "change"], rows, left=2),
        items(said(note) for note in trend.judged.notes),
        *trends,
        "## Why: the last night" if why else "",
        *why,
        said(problem) or (f"{less} more charts are not drawn: they have no room" if less > 0 else ""),
    )
    known: _Drawn = {(trend.tier, trend.suite, name): picture for name, picture in drawn.items()}
    return TrendPage(f"{KEY}-{trend.tier}-{trend.suite}", title, text), known


def _metric_row(each: MetricTrend) -> list[str]:
    line, unit = each.line, each.nights.unit
    state = f"**{line.state}**" if line.state in NOT_AS_EVER else line.state
    values = (number(each.nights.nights[-1].value, unit), number(line.baseline, unit), change(line.effect))
    return [code(line.metric), state, *map(inline, values)]


def _drawn(metrics: Sequence[MetricTrend], figures: Sequence[Figure]) -> tuple[dict[str, str], str]:
    """The charts as markdown, by metric or key of their figure, and why there are none.

    What explains the last night comes before the metrics of which there is least to say, which the page may lack.
    """
    named = [
        (each.line.metric, f"{each.line.metric}, {amount(len(each.nights.nights), 'night')}")
        for each in metrics
    ]
    explaining = [(each.key, f"{each.title}: {each.alt}") for each in figures]
    specs = chain(
        (spec_of(each.nights, most=MOST_NIGHTS) for each in metrics[:MOST_LEADING]),
        (each.spec for each in figures),
        (spec_of(each.nights, most=MOST_NIGHTS) for each in metrics[MOST_LEADING:]),
    )
    names = [*named[:MOST_LEADING], *explaining, *named[MOST_LEADING:]]
    try:
        found = pictures(specs, most_bytes=MOST_BYTES, patience=MOST_SECONDS)
    except UndrawnError as error:
        return {}, str(error)
    return {
        name: image(label, picture)
        for (name, label), picture in zip(names, found, strict=True)
        if picture is not None
    }, ""
