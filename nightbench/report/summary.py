"""The summary in the terminal: what one suite measured, and where a whole night lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console

from nightbench.history.record import clean_text
from nightbench.measurement import Measurement
from nightbench.plan import WebSocketPlan
from nightbench.report.course import print_course
from nightbench.report.findings import print_findings
from nightbench.report.grouping import Grouped, group
from nightbench.report.layout import BAD, DIM, GOOD, HEADING, INDENT, UNSURE, WIDTH, Page, number
from nightbench.report.measured import plural, print_errors, print_operations, print_times
from nightbench.verdict.targets import LEAKED_ROWS, TargetResult
from nightbench.verdict.verdict import State, SuiteVerdict

_MAIN = {"websocket": "message", "database": "query"}
_STYLES: Mapping[State, str] = {"met": GOOD, "missed": BAD, "invalid": UNSURE}
_FACT = 12  # columns of the label of a fact


class Delivery(Protocol):
    """What became of the alerts, as `nightbench.alerts.delivery.DeliveryReport` says it."""

    @property
    def delivered(self) -> int: ...
    @property
    def undelivered(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def reasons(self) -> Sequence[str]: ...


def print_suite(console: Console, verdict: SuiteVerdict) -> None:
    """Print every block of one suite in at most 80 columns; no value is cut off."""
    page = Page(console)
    measurement = verdict.measurement
    grouped = group(measurement.metrics)
    _title(page, verdict)
    _reasons(page, verdict)
    _facts(page, measurement, grouped)
    print_operations(page, measurement, grouped)
    print_times(page, grouped)
    print_course(page, measurement)
    print_errors(page, measurement)
    print_findings(page, measurement.details)
    _targets(page, verdict)
    _comparison(page, verdict)


def print_night(
    console: Console,
    verdicts: Sequence[SuiteVerdict],
    *,
    saved: Mapping[str, Path | str],
    alerts: Delivery,
    notes: Sequence[str] = (),
) -> None:
    """Print every suite, then one line for each, the alerts, the notes and where everything lies.

    Args:
        console: Where to.
        verdicts: In the order in which they ran.
        saved: Label to place, such as ``{"results": …, "outbox": …, "kept aside": …}``.
        alerts: What became of the alerts.
        notes: What else the reader has to know, a sentence each: failed tiers, unreadable files.
    """
    page = Page(console)
    for verdict in verdicts:
        print_suite(console, verdict)
        page.line()
    _overview(page, verdicts)
    _alerts(page, alerts)
    print_notes(console, notes)
    print_places(console, saved)


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print what the reader has to know beside the verdicts, a sentence each; nothing without any."""
    if not notes:
        return
    page = Page(console)
    page.heading("Notes")
    for note in notes:
        page.paragraph(note, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)


def print_places(console: Console, saved: Mapping[str, Path | str]) -> None:
    """Print where everything lies, by label."""
    page = Page(console)
    page.heading("Where everything lies")
    for label, place in saved.items():
        _fact(page, label, _near(place))


def _title(page: Page, verdict: SuiteVerdict) -> None:
    measurement = verdict.measurement
    name, state = f"{measurement.tier} · {measurement.suite}", _state(page, verdict)
    room = WIDTH - len(page.said(f"── {name}  {state}")) - 1
    page.line("── ", (name, HEADING), " ", ("─" * room, DIM), " ", (state, _STYLES[verdict.state]))


def _state(page: Page, verdict: SuiteVerdict) -> str:
    match verdict.state:
        case "met":
            return f"{page.met} targets met" if verdict.targets else "no targets"
        case "invalid":
            return "incomplete" if not verdict.measurement.validity.complete else "invalid"
        case "missed" if verdict.leaked:
            return f"{page.verdict_missed}: rows leaked"
        case "missed":
            return f"{page.verdict_missed} {len(verdict.missed)} of {len(verdict.targets)} targets"


def _reasons(page: Page, verdict: SuiteVerdict) -> None:
    validity = verdict.measurement.validity
    if verdict.trusted:
        return
    page.heading("Incomplete" if not validity.complete else "Not valid")
    for text in validity.reasons:
        page.paragraph(text, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    page.paragraph(
        "What was measured until then is shown and saved; it is neither a pass nor a fail.", style=DIM
    )


def _facts(page: Page, measurement: Measurement, grouped: Grouped) -> None:
    page.line()
    _fact(page, "Run", measurement.run_id)
    _fact(page, "Subject", "  ".join(_subject(measurement)))
    _fact(page, "Load", _load(measurement))
    _fact(page, "Duration", f"{measurement.duration:,.1f} s measured")
    rates = ", ".join(f"{number(rate.metric.value)} {_rate_unit(rate.operation)}" for rate in grouped.rates)
    _fact(page, "Throughput", rates or "–")


def _subject(measurement: Measurement) -> list[str]:
    values = (
        f"PostgreSQL {value.get('server_version', '?')}" if isinstance(value, Mapping) else str(value)
        for value in measurement.subject.values()
        if value is not None
    )
    return list(values)


def _load(measurement: Measurement) -> str:
    plan = measurement.plan
    if isinstance(plan, WebSocketPlan):
        who, rate = f"{plan.users:,} users", f"{_message_rate(plan)} messages/s"
    else:
        who, rate = f"{plan.workers:,} workers", f"{plan.queries_per_second:g} queries/s"
    if plan.model == "open":
        return f"{who}, open model, {rate}"
    return f"{who}, closed model, {plan.think:g} s think time"


def _message_rate(plan: WebSocketPlan) -> str:
    if not plan.rate_profile:
        return f"{plan.messages_per_second:g}"
    corners = plan.rate_profile
    at_the_end = float(
        np.interp(plan.duration, [each.at for each in corners], [each.rate for each in corners])
    )
    rates = [each.rate for each in corners if each.at < plan.duration] + [at_the_end]
    low, high = min(rates), max(rates)
    return f"rate profile, {low:g} to {high:g}" if low < high else f"rate profile, {high:g}"


def _rate_unit(operation: str) -> str:
    return f"{plural(operation).lower()}/s"


def _fact(page: Page, label: str, value: str) -> None:
    head = INDENT + label.ljust(_FACT - 1) + " "
    page.paragraph(value, first=head, rest=" " * max(len(head), _FACT + len(INDENT)))


def _targets(page: Page, verdict: SuiteVerdict) -> None:
    if not verdict.targets:
        return
    page.line()
    title = "Targets" if verdict.trusted else "Targets (not judged)"
    rows, styles = [], []
    for target in verdict.targets:
        mark, style = _mark(page, verdict, target)
        unit = _unit(verdict.measurement, target.metric)
        rows.append(
            [
                f"{mark} {clean_text(target.metric)}",
                _target_value(verdict.measurement, target),
                f"{target.op} {_limit(target.limit, unit)}",
            ]
        )
        styles.append(style)
    page.table([title, "value", "target"], rows, styles)


def _mark(page: Page, verdict: SuiteVerdict, target: TargetResult) -> tuple[str, str]:
    width = max(len(page.met), len(page.missed))
    certain = verdict.trusted or (verdict.leaked and target.metric == LEAKED_ROWS)
    if not certain:
        return "–".ljust(width), UNSURE
    return (page.met.ljust(width), GOOD) if target.met else (page.missed.ljust(width), BAD)


def _target_value(measurement: Measurement, target: TargetResult) -> str:
    if target.value is not None:
        return number(target.value, _unit(measurement, target.metric))
    metric = next((item for item in measurement.metrics if item.name == target.metric), None)
    if metric is None:
        return "not measured"
    counts = measurement.operations.get(metric.name.partition(".")[0])
    skipped = f", {counts.skipped:,} skipped" if counts is not None and counts.skipped else ""
    return f"missing (n = {metric.n:,}{skipped})"


def _limit(limit: float, unit: str) -> str:
    text = f"{limit:,.0f}" if limit == int(limit) else f"{limit:g}"
    return text if unit in {"", "1"} else f"{text} {unit}"


def _unit(measurement: Measurement, name: str) -> str:
    return next((metric.unit for metric in measurement.metrics if metric.name == name), "")


def _comparison(page: Page, verdict: SuiteVerdict) -> None:
    comparison = verdict.comparison
    page.line()
    others = f" ({comparison.left_out} of another plan or subject left out)" if comparison.left_out else ""
    if comparison.runs == 0:
        page.line(("Compared with earlier runs", HEADING))
        page.paragraph(f"no baseline yet: this is the first run of this plan and subject{others}")
        return
    page.table(
        ["Compared with earlier runs", "tonight", "median", "change"],
        [
            [
                change.metric,
                number(change.tonight, change.unit),
                number(change.baseline_median, change.unit),
                "–" if change.change_percent is None else f"{change.change_percent + 0.0:+.1f} %",
            ]
            for change in comparison.changes
        ],
    )
    runs = "1 earlier run" if comparison.runs == 1 else f"{comparison.runs} earlier runs"
    page.paragraph(f"against the median of {runs}{others}", style=DIM)


def _overview(page: Page, verdicts: Iterable[SuiteVerdict]) -> None:
    rows, styles = [], []
    for verdict in verdicts:
        measurement = verdict.measurement
        main = _MAIN[measurement.suite]
        rows.append(
            [
                f"{measurement.tier} {measurement.suite}",
                _state(page, verdict),
                number(measurement.value(f"{main}.response_time.p95"), "ms"),
                number(measurement.value(f"{main}.success_rate"), "%"),
                number(measurement.value(f"{main}.throughput"), "1/s"),
            ]
        )
        styles.append(_STYLES[verdict.state])
    page.table(["Summary", "verdict", "P95 response", "success", "throughput"], rows, styles, left=2)
    if not rows:
        page.line(INDENT, ("nothing was measured", BAD))


def _alerts(page: Page, alerts: Delivery) -> None:
    page.heading("Alerts")
    amounts = {
        "delivered": alerts.delivered,
        "kept in the outbox": alerts.undelivered,
        "rejected": alerts.rejected,
    }
    told = ", ".join(f"{amount:,} {what}" for what, amount in amounts.items() if amount)
    page.line(INDENT, told or "none")
    for text in alerts.reasons:
        page.paragraph(text, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)


def _near(place: Path | str) -> str:
    """A path below the current folder without the way to it."""
    if isinstance(place, Path) and place.is_relative_to(Path.cwd()):
        return str(place.relative_to(Path.cwd()))
    return str(place)
