"""The report as the page shows it: sentences and tables, made of what was gathered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from nightbench.history.record import clean_text
from nightbench.report.charts.spec import release_text
from nightbench.report.figures.diagnosis import ServerFinding, TitledTable
from nightbench.trend_report import tables
from nightbench.trend_report.drawing import Drawing
from nightbench.trend_report.grid import Grid, grid, said
from nightbench.trend_report.instants import minute, span
from nightbench.trend_report.standing import Standing, headline, is_compared, name_of, problems, standing_of
from nightbench.trend_report.suite_report import SuiteReport, place_of
from nightbench.trend_report.trends import SuiteTrend
from nightbench.visible import visible
from nightbench.wording import amount

_QUIET = "Nothing changed for good, and the last night is as ever."
_UNCOMPARED = "Nothing happened that could be told; there are suites with too few nights to compare."


@dataclass(frozen=True)
class SuiteView:
    """One suite of one tier, as the sections on trends and on reasons show it."""

    key: str
    name: str
    nights: str
    trends: tuple[Drawing, ...]
    undrawn: int
    why: tuple[Drawing, ...]
    facts: tuple[tuple[str, str], ...]
    findings: tuple[ServerFinding, ...]
    tables: tuple[Grid, ...]


@dataclass(frozen=True)
class ReportView:
    """The whole page."""

    title: str
    span: str
    standing: Standing
    headline: str
    problems: tuple[str, ...]
    quiet: str
    tonight: Grid
    targets: Grid
    missed: int
    changes: Grid
    releases: Grid
    metrics: Grid
    suites: tuple[SuiteView, ...]
    sure: Grid
    invalid: Grid
    notes: tuple[str, ...]
    made: str
    place: str


def view_of(
    suites: Sequence[SuiteReport],
    environment: str,
    place: str,
    made: datetime,
    *,
    lost: Sequence[str] = (),
    unreadable: Sequence[str] = (),
) -> ReportView:
    """The page of some suites, at least one.

    Args:
        suites: In the order in which they run.
        environment: Theirs.
        place: Where the nights lie.
        made: Now, UTC.
        lost: The suites that have nights of which none can be read, by their names.
        unreadable: Files of the history that had to be passed over, a sentence each.
    """
    trends = [each.trend for each in suites]
    return ReportView(
        title=f"nightbench: trend of {_shown(environment)}",
        span=span(trends),
        standing=standing_of(trends, lost),
        headline=headline(trends, lost),
        problems=tuple(problems(trends, made)),
        quiet=_QUIET if all(map(is_compared, trends)) else _UNCOMPARED,
        tonight=tables.tonight(suites),
        targets=tables.targets(suites),
        missed=sum(len(trend.missed) for trend in trends),
        changes=tables.changes(suites),
        releases=tables.releases(suites),
        metrics=tables.metrics(suites),
        suites=tuple(_suite(each) for each in suites),
        sure=tables.sure(suites),
        invalid=tables.invalid(suites),
        notes=(*_notes(suites), *map(_shown, unreadable)),
        made=minute(made),
        place=_shown(place),
    )


def _suite(report: SuiteReport) -> SuiteView:
    trend = report.trend
    return SuiteView(
        key=place_of(trend),
        name=name_of(trend),
        nights=amount(trend.nights, "night"),
        trends=tuple(report.trends.values()),
        undrawn=report.undrawn,
        why=report.why,
        facts=tuple((name, _shown(value)) for name, value in _facts(report)),
        findings=report.findings,
        tables=tuple(_titled(trend, each) for each in report.tables),
    )


def _titled(trend: SuiteTrend, each: TitledTable) -> Grid:
    titles = [title[:1].upper() + title[1:] for title in each.table.head]
    rows = [[said(cell) for cell in row] for row in each.table.rows]
    return grid(f"{place_of(trend)}-{each.key}", f"{each.title}, {name_of(trend)}", titles, rows)


def _facts(report: SuiteReport) -> Iterator[tuple[str, str]]:
    trend = report.trend
    yield "night", minute(trend.last)
    if report.run_id:
        yield "run", report.run_id
    if report.load:
        yield "load", report.load
    if trend.verdict is not None:
        run = trend.verdict.measurement
        yield "measured", f"{run.duration:,.1f} s"
        if run.release:
            yield "release", release_text(run.release)
        yield from (("note", note) for note in trend.verdict.block_notes)


def _notes(suites: Sequence[SuiteReport]) -> Iterator[str]:
    for each in suites:
        yield from (_shown(note) for note in each.trend.judged.notes)


def _shown(words: str) -> str:
    return visible(clean_text(words))
