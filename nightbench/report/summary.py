"""The summary in the terminal: what one suite measured, and where a whole night lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console

from nightbench.measurement import Measurement
from nightbench.plan import WebSocketPlan
from nightbench.report.course import print_course
from nightbench.report.findings import print_findings
from nightbench.report.grouping import Grouped, group
from nightbench.report.layout import DIM, HEADING, INDENT, UNSURE, WIDTH, Page, number
from nightbench.report.measured import plural, print_errors, print_operations, print_times
from nightbench.report.next_steps import Origin, print_next_steps
from nightbench.report.overview import STYLES, print_overview, state_in_words
from nightbench.report.promises import print_targets, units_of
from nightbench.report.verdict_lines import print_verdict
from nightbench.verdict.verdict import SuiteVerdict
from nightbench.wording import amount

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
    def dropped(self) -> int: ...
    @property
    def reasons(self) -> Sequence[str]: ...
    @property
    def recovered(self) -> Sequence[str]: ...


def print_suite(console: Console, verdict: SuiteVerdict, origin: Origin | None = None) -> None:
    """Print every block of one suite in at most 80 columns; no value is cut off.

    Args:
        console: Where to.
        verdict: On the suite.
        origin: What was typed for it, for the commands that are proposed; a flow with default settings when None.
    """
    page = Page(console)
    print_title(page, verdict)
    _reasons(page, verdict)
    _facts(page, verdict, group(verdict.measurement.metrics))
    print_measured(page, verdict)
    print_next_steps(page, verdict, origin or Origin())


def print_title(page: Page, verdict: SuiteVerdict) -> None:
    """A line across the page: which suite it is, and what came of it."""
    measurement = verdict.measurement
    name, state = f"{measurement.tier} · {measurement.suite}", state_in_words(page, verdict)
    room = WIDTH - len(page.said(f"── {name}  {state}")) - 1
    page.line("── ", (name, HEADING), " ", ("─" * room, DIM), " ", (state, STYLES[verdict.state]))


def print_measured(page: Page, verdict: SuiteVerdict) -> None:
    """What was measured and judged, the same on the night itself and whenever its run is shown again."""
    measurement = verdict.measurement
    grouped = group(measurement.metrics)
    print_operations(page, measurement, grouped)
    print_times(page, grouped)
    print_course(page, measurement)
    print_errors(page, measurement)
    print_findings(page, measurement.details)
    print_targets(page, verdict)
    print_verdict(page, verdict.judged, units_of(verdict))


def print_night(
    console: Console,
    verdicts: Sequence[SuiteVerdict],
    *,
    saved: Mapping[str, Path | str],
    alerts: Delivery,
    notes: Sequence[str] = (),
) -> None:
    """Print one line for each suite, then each in full, the alerts, the notes and where everything lies.

    Args:
        console: Where to.
        verdicts: In the order in which they ran.
        saved: Label to place, such as ``{"results": …, "outbox": …, "kept aside": …}``.
        alerts: What became of the alerts.
        notes: What else the reader has to know, a sentence each: failed tiers, unreadable files.
    """
    page = Page(console)
    print_overview(page, verdicts)
    origin = Origin(saved.get("results", Origin.results))
    for verdict in verdicts:
        page.line()
        print_suite(console, verdict, origin)
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


def _facts(page: Page, verdict: SuiteVerdict, grouped: Grouped) -> None:
    measurement = verdict.measurement
    page.line()
    _fact(page, "Run", measurement.run_id)
    for label, text in _blocks(verdict):
        _fact(page, label, text)
    _fact(page, "Subject", "  ".join(_subject(measurement)))
    _fact(page, "Load", load_in_words(measurement))
    _fact(page, "Duration", f"{measurement.duration:,.1f} s measured")
    rates = ", ".join(f"{number(rate.metric.value)} {_rate_unit(rate.operation)}" for rate in grouped.rates)
    _fact(page, "Throughput", rates or "–")


def _blocks(verdict: SuiteVerdict) -> Iterator[tuple[str, str]]:
    """What else was measured that night, and which of it is shown."""
    if verdict.block_notes:
        yield "Night", "; ".join(verdict.block_notes)
        yield "Shown", f"block {verdict.measurement.block}; targets and comparison are the night's"
    if verdict.reruns:
        times = "once" if len(verdict.reruns) == 1 else f"{len(verdict.reruns)} times"
        yield "Repeated", f"{times}, since something looked worse"


def _subject(measurement: Measurement) -> list[str]:
    values = (
        f"PostgreSQL {value.get('server_version', '?')}" if isinstance(value, Mapping) else str(value)
        for value in measurement.subject.values()
        if value is not None
    )
    release = measurement.release
    return [*values, *([] if release is None else [f"release {release}"])]


def load_in_words(measurement: Measurement) -> str:
    """``100 users, open model, 50 messages/s``, and from where, unless it is one process of this machine."""
    return ", ".join([_load(measurement), *_from(measurement)])


def _from(measurement: Measurement) -> Iterator[str]:
    fleet, shards = measurement.host.get("fleet"), measurement.plan.shards
    if fleet or shards > 1:
        yield amount(shards, "shard") + (f" on {fleet}" if fleet else "")


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


def _alerts(page: Page, alerts: Delivery) -> None:
    page.heading("Alerts")
    page.line(INDENT, told_of(alerts) or "none")
    for text in alerts.reasons:
        page.paragraph(text, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    for text in (*alerts.recovered, *_ways_out(alerts)):
        page.paragraph(text, first=INDENT, rest=INDENT)


def told_of(alerts: Delivery) -> str:
    """How many alerts became what, in words; nothing when there are none."""
    states = ("delivered", "undelivered", "rejected", "dropped")
    return ", ".join(f"{amount:,} {state}" for state in states if (amount := getattr(alerts, state)))


def _ways_out(alerts: Delivery) -> Iterator[str]:
    if alerts.undelivered:
        yield "What is undelivered waits in the outbox: the next run posts it, as `nightbench alerts flush` does."
    if alerts.rejected:
        yield "`nightbench alerts status` tells what was rejected, `nightbench alerts flush --rejected` tries it again."


def _near(place: Path | str) -> str:
    """A path below the current folder without the way to it."""
    if isinstance(place, Path) and place.is_relative_to(Path.cwd()):
        return str(place.relative_to(Path.cwd()))
    return str(place)
