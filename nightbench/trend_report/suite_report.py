"""What the report has of one suite of one tier: its trend, its charts, and what explains its last night."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from nightbench.history.runs import StoredRun
from nightbench.history.store import HistoryStore
from nightbench.plan import DatabasePlan, Suite, SuitePlan, Tier, WebSocketPlan
from nightbench.report.figures.diagnosis import ServerFinding, TitledTable, findings_of, tables_of
from nightbench.report.figures.trend import trend_figure
from nightbench.report.stored_run import measurement_of
from nightbench.report.summary import load_in_words
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.trend_report.drawing import Drawing, drawing_of
from nightbench.trend_report.happened import Happened, happened, releases
from nightbench.trend_report.last_night import LastNight, last_night, main_of
from nightbench.trend_report.order import ordered
from nightbench.trend_report.standing import reasons_of, state_of
from nightbench.trend_report.trends import MetricTrend, SuiteTrend, suite_trend

MOST_CHARTS = 40
"""Of one suite of one tier; all metrics are in the table."""
MOST_INVALID = 30
"""Invalid nights that are listed, the last ones."""


@dataclass(frozen=True)
class InvalidNight:
    """A night that is neither a pass nor a fail, and why."""

    started_at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SuiteReport:
    """One suite of one tier.

    Attributes:
        trend: Its nights; those of a metric that were drawn are in `trends` alone, but for the last one.
        trends: The charts of metrics of which there is something to see, by their names, the most important first.
        undrawn: How many more of these there are.
        why: What explains the last night's run.
        findings: What its server was found to lack.
        tables: What else explains it and is no chart, such as the slowest statements.
        happened: What happened over its nights, the newest first.
        releases: When each release of the subject was first measured, the newest first.
        load: What was asked of it in that run, in words; empty where a plan of another version says it.
        run_id: The run of the last night that `why` is about; empty where none can be read.
        invalid: The last `MOST_INVALID` nights that are invalid.
        unreadable: Files of its history that had to be passed over, a sentence each.
    """

    trend: SuiteTrend
    trends: dict[str, Drawing]
    undrawn: int
    why: tuple[Drawing, ...]
    findings: tuple[ServerFinding, ...]
    tables: tuple[TitledTable, ...]
    happened: tuple[Happened, ...]
    releases: tuple[tuple[datetime, str], ...]
    load: str
    run_id: str
    invalid: tuple[InvalidNight, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class Unread:
    """A suite of a tier of which no night is known: none is stored, or `unreadable` says why none can be read."""

    tier: Tier
    suite: Suite
    unreadable: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was read of one suite of one tier.

    Attributes:
        trend: Its nights.
        last: What its last night can be explained with; None where its runs cannot be read.
        invalid: The last `MOST_INVALID` nights that are invalid.
        unreadable: Files of its history that had to be passed over, a sentence each.
    """

    trend: SuiteTrend
    last: LastNight | None
    invalid: tuple[InvalidNight, ...]
    unreadable: tuple[str, ...]


def gathered_suite(settings: Settings, tier: Tier, suite: Suite, nights: int) -> Gathered | Unread:
    """Read one suite of one tier.

    Args:
        settings: Where the nights lie, whose they are, and how the last one is judged.
        tier: Which.
        suite: Which.
        nights: How many are looked at, the last ones.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
    """
    store = HistoryStore(settings.results, remembered=settings.cache / "trend")
    trend = suite_trend(store, settings.environment, policy_of(settings), tier, suite, nights=nights)
    if trend is None:
        return Unread(tier, suite, _unreadable(store))
    last, invalid = last_night(store, trend), tuple(_invalid(store, trend))
    return Gathered(trend, last, invalid, _unreadable(store))


def suite_report(settings: Settings, tier: Tier, suite: Suite, nights: int) -> SuiteReport | Unread:
    """Read and draw one suite of one tier; see `gathered_suite`. It takes and gives what can be sent to a process."""
    found = gathered_suite(settings, tier, suite, nights)
    return found if isinstance(found, Unread) else report_of(found)


def report_of(found: Gathered) -> SuiteReport:
    """Draw what was read."""
    trend, last = found.trend, found.last
    run = None if last is None else last.run
    figures = () if last is None else last.figures
    shown = ordered(trend)
    return SuiteReport(
        trend=_lighter(trend),
        trends=dict(_trends(trend, shown[:MOST_CHARTS])),
        undrawn=len(shown[MOST_CHARTS:]),
        why=tuple(drawing_of(_anchor(trend, each.key), each) for each in figures),
        findings=() if run is None else findings_of(run),
        tables=() if run is None else tables_of(run),
        happened=happened(trend),
        releases=releases(trend),
        load="" if run is None else _load(run),
        run_id="" if run is None else run.run_id,
        invalid=found.invalid,
        unreadable=found.unreadable,
    )


def _unreadable(store: HistoryStore) -> tuple[str, ...]:
    return tuple(f"{file.path}: not part of the history: {file.problem}" for file in store.unreadable)


def place_of(trend: SuiteTrend) -> str:
    """``full-websocket``: names it in anchors."""
    return f"{trend.tier}-{trend.suite}"


def _load(run: StoredRun) -> str:
    plan_of: Mapping[str, type[SuitePlan]] = {"websocket": WebSocketPlan, "database": DatabasePlan}
    try:
        plan = plan_of[run.suite].model_validate(run.row["plan"])
    except ValidationError:
        return ""
    return load_in_words(replace(measurement_of(run), plan=plan))


def _trends(trend: SuiteTrend, shown: Iterable[MetricTrend]) -> Iterable[tuple[str, Drawing]]:
    for each in shown:
        figure = trend_figure(each.nights)
        yield each.line.metric, drawing_of(_anchor(trend, figure.key), figure)


def _anchor(trend: SuiteTrend, key: str) -> str:
    return f"{place_of(trend)}-{key}"


def _lighter(trend: SuiteTrend) -> SuiteTrend:
    """Without the nights that are drawn already."""
    metrics = tuple(MetricTrend(each.nights.last(1), each.line) for each in trend.metrics)
    return replace(trend, metrics=metrics, blocks={})


def _invalid(store: HistoryStore, trend: SuiteTrend) -> Iterable[InvalidNight]:
    """The last ones, the last night of the trend among them."""
    main = main_of(trend)
    nights = [] if main is None else [each for each in main.nights.nights if each.state == "invalid"]
    first = {trend.blocks[each.night][0]: each for each in nights[-MOST_INVALID:]}
    said = {mark.night_id: f"{mark.who}: {mark.why}" for mark in trend.marks if mark.kind == "invalid"}
    for run_id, reasons in store.reasons(first, suite=trend.suite, tier=trend.tier).items():
        night = first[run_id]
        why = (*reasons, *([said[night.night]] if night.night in said else ()))
        yield InvalidNight(night.started_at, why)
    if state_of(trend) == "invalid":
        yield InvalidNight(trend.last, reasons_of(trend))
