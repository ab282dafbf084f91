"""The tables of the page: the last night, its targets, what changed, every metric, how sure it is, and invalid nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from nightbench.report.charts.spec import release_text
from nightbench.report.layout import change, number, percent, signed
from nightbench.report.overview import MAIN, state_as_text
from nightbench.report.promises import is_certain, promised, units_of, value_in_words
from nightbench.report.verdict_lines import probability
from nightbench.trend_report.grid import Cell, Grid, figure, grid, said, whole
from nightbench.trend_report.happened import Happened
from nightbench.trend_report.instants import day, minute
from nightbench.trend_report.order import NOT_AS_EVER
from nightbench.trend_report.standing import is_compared, name_of, state_of
from nightbench.trend_report.suite_report import SuiteReport, place_of
from nightbench.trend_report.trends import MetricTrend, SuiteTrend
from nightbench.verdict.judgement import Line

_VALUES = (("response_time.p95", "ms"), ("success_rate", "%"), ("throughput", "1/s"))


def tonight(suites: Sequence[SuiteReport]) -> Grid:
    """A row a suite: its verdict and main values."""
    return grid(
        "suites",
        "The last night of each suite",
        (
            "Suite",
            "Verdict",
            "#P95 response",
            "#Change",
            "#Success",
            "#Throughput",
            "#Targets met",
            "#Worse",
            "Last night",
        ),
        [_of_suite(place, each.trend) for place, each in enumerate(suites)],
    )


def _of_suite(place: int, trend: SuiteTrend) -> list[Cell]:
    verdict = trend.verdict
    values = [
        (None if verdict is None else verdict.value(f"{MAIN[trend.suite]}.{metric}"), unit)
        for metric, unit in _VALUES
    ]
    judged = [] if verdict is None else [each for each in verdict.targets if is_certain(verdict, each)]
    missed = sum(not target.met for target in judged)
    p95, *others = (figure(number(value, unit), value) for value, unit in values)
    effect = _effect(trend)
    return [
        said(name_of(trend), link=f"trend-{place_of(trend)}", sort=str(place)),
        said("cannot be read" if verdict is None else state_as_text(verdict), badge=state_of(trend)),
        p95,
        figure(change(effect), effect),
        *others,
        figure(f"{len(judged) - missed} of {len(judged)}" if judged else "–", -missed if judged else None),
        whole(sum(each.line.state in ("regression", "suspect") for each in trend.metrics))
        if is_compared(trend)
        else figure("not compared", None),
        said(minute(trend.last)),
    ]


def _effect(trend: SuiteTrend) -> float | None:
    """By how much the main value differs from its baseline."""
    wanted = f"{MAIN[trend.suite]}.{_VALUES[0][0]}"
    return next((each.line.effect for each in trend.metrics if each.line.metric == wanted), None)


def targets(suites: Sequence[SuiteReport]) -> Grid:
    """A row for each promise, those that were missed first."""
    rows = [row for each in suites for row in _promises(each)]
    titles = ("Metric", "Suite", "Verdict", "#Value", "#Promised")
    return grid("targets", "Targets", titles, sorted(rows, key=lambda row: row[2].badge != "missed"))


def _promises(report: SuiteReport) -> Iterator[list[Cell]]:
    verdict = report.trend.verdict
    if verdict is None:
        return
    units = units_of(verdict)
    for target in verdict.targets:
        unit = units.get(target.metric, "")
        if not is_certain(verdict, target):
            mark = said("not judged", badge="invalid")
        else:
            mark = said("met", badge="met") if target.met else said("missed", badge="missed")
        yield [
            _metric(report, target.metric),
            said(name_of(report.trend)),
            mark,
            figure(value_in_words(verdict, target, unit), target.value),
            figure(promised(target, unit), target.limit),
        ]


def changes(suites: Sequence[SuiteReport]) -> Grid:
    """A row for each thing that happened, the newest first."""
    found = [(each, report) for report in suites for each in report.happened]
    found.sort(key=lambda pair: pair[0].at, reverse=True)
    titles = ("Night", "What", "#Change", "Metric", "Suite", "With which release, or who said so")
    return grid("what-changed", "What changed", titles, [_event(*pair) for pair in found])


def _event(each: Happened, report: SuiteReport) -> list[Cell]:
    badge = {True: "missed", False: "met", None: "plain"}[each.worse]
    return [
        said(minute(each.at)),
        said(each.what, badge=badge),
        figure(change(each.effect) if each.effect is not None else "", each.effect),
        _metric(report, each.metric) if each.metric else said("all"),
        said(name_of(report.trend)),
        said(each.why),
    ]


def releases(suites: Sequence[SuiteReport]) -> Grid:
    """A row for each release of the subject and the suites that met it first in one night, the newest first."""
    met: dict[tuple[str, str], list[SuiteReport]] = {}
    for report in suites:
        for at, release in report.releases:
            met.setdefault((day(at), release_text(release)), []).append(report)
    rows = [
        [
            said(night),
            Cell(release),
            said(
                "all" if len(reports) == len(suites) else ", ".join(name_of(each.trend) for each in reports)
            ),
        ]
        for (night, release), reports in sorted(met.items(), key=lambda pair: pair[0][0], reverse=True)
    ]
    return grid(
        "releases",
        "Releases of the subject, by the first night of each",
        ("Night", "Release", "Suites"),
        rows,
    )


def metrics(suites: Sequence[SuiteReport]) -> Grid:
    """A row for each metric that gates: the last night against its baseline, and how sure that is."""
    rows = [_compared(report, each) for report in suites for each in report.trend.metrics]
    order = {state: place for place, state in enumerate(NOT_AS_EVER)}
    titles = (
        "Metric",
        "Suite",
        "State",
        "#Change",
        "#95 % interval",
        "#Would have shown",
        "#Last night",
        "#Baseline",
        "#Nights",
        "#Adjusted p",
    )
    return grid(
        "metrics",
        "Every metric that gates, the last night against its baseline",
        titles,
        sorted(rows, key=lambda row: order.get(row[2].text, len(order))),
    )


def _compared(report: SuiteReport, each: MetricTrend) -> list[Cell]:
    line, unit = each.line, each.nights.unit
    interval = "" if line.low is None else f"{signed(line.low)} to {signed(line.high)} %"
    p = line.p_adjusted
    return [
        _metric(report, line.metric),
        said(name_of(report.trend)),
        said(line.state, badge=_badge(line)),
        figure(change(line.effect), line.effect),
        figure(interval or "–", line.low),
        figure("–" if line.detectable is None else percent(abs(line.detectable)), line.detectable),
        figure(number(line.value, unit), line.value),
        figure(number(line.baseline, unit), line.baseline),
        whole(line.nights),
        figure("–" if p is None else probability(p), p),
    ]


def sure(suites: Sequence[SuiteReport]) -> Grid:
    """A row a suite: on how many nights its comparison rests, and what it would have seen."""
    titles = (
        "Suite",
        "#Nights",
        "#In the baseline",
        "#Left out",
        "#Would have shown, half of the metrics",
        "Why some are left out",
    )
    return grid("how-sure", "What the comparison rests on", titles, [_sure(each.trend) for each in suites])


def _sure(trend: SuiteTrend) -> list[Cell]:
    least = [abs(each.line.detectable) for each in trend.metrics if each.line.detectable is not None]
    usual = median(least) if least else None
    left_out = trend.judged.left_out
    return [
        said(name_of(trend)),
        whole(trend.nights),
        whole(max((each.line.nights for each in trend.metrics), default=0)),
        whole(sum(each.nights for each in left_out)),
        figure("no baseline yet" if usual is None else f"from {percent(usual)} on", usual),
        said(", ".join(f"{each.nights:,} {each.reason}" for each in left_out)),
    ]


def invalid(suites: Sequence[SuiteReport]) -> Grid:
    """A row for each night that is neither a pass nor a fail, the newest first."""
    found = [(each, report) for report in suites for each in report.invalid]
    found.sort(key=lambda pair: pair[0].started_at, reverse=True)
    rows = [
        [
            said(minute(each.started_at)),
            said(name_of(report.trend)),
            said("invalid", badge="invalid"),
            said("; ".join(each.reasons)),
        ]
        for each, report in found
    ]
    return grid("invalid-nights", "Invalid nights: in no baseline", ("Night", "Suite", "State", "Why"), rows)


def _metric(report: SuiteReport, metric: str) -> Cell:
    drawing = report.trends.get(metric)
    return said(metric, link="" if drawing is None else drawing.anchor)


def _badge(line: Line) -> str:
    if line.state == "improved":
        return "met"
    if line.state == "too noisy" and _is_beyond_doubt(line):
        return "noisy"
    return line.state if line.state in NOT_AS_EVER else "plain"


def _is_beyond_doubt(line: Line) -> bool:
    """Whether all of the interval is worse, though the metric is too noisy to gate."""
    if line.low is None or line.high is None:
        return False
    return line.low > 0 if line.higher_is_worse else line.high < 0
