"""One metric over its nights as a figure: the chart, what an eye sees of it in a sentence, and the nights as a table."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime

from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.charts.spec import release_text, spec_of
from nightbench.report.charts.theme import text
from nightbench.report.layout import change, count, number
from nightbench.verdict.targets import keeps

YEAR = 366
"""Nights that a report shows of a metric."""

_USUAL = re.compile(r"[a-z0-9_.]+(\[[a-z0-9_]+\][a-z0-9_.]*)?")
_APART = re.compile(r"[^a-z0-9]+")


def trend_figure(history: MetricNights, *, most: int = YEAR) -> Figure:
    """The figure of the last `most` nights, at least one; its key is `key_of` its metric."""
    history = replace(history.last(most), unit=text(history.unit), metric=text(history.metric))
    return Figure(
        key=key_of(history.metric),
        title=text(f"{history.metric}, {history.tier} {history.suite}, {history.environment}"),
        alt=_in_words(history),
        spec=spec_of(history, most=most),
        table=_table(history),
    )


def key_of(metric: str) -> str:
    """A metric's name in small letters, digits and hyphens, such as ``message-response-time-p95``."""
    shown = text(metric)
    plain = "-".join(_APART.split(shown.lower())).strip("-")
    if _USUAL.fullmatch(shown):
        return plain
    digest = hashlib.sha256(shown.encode()).hexdigest()[:8]  # as other letters than these tell it from others
    return f"{plain}-{digest}" if plain else digest


def _in_words(history: MetricNights) -> str:
    known = [each.value for each in history.nights if each.value is not None and each.state != "invalid"]
    unit, nights = history.unit, len(history.nights)
    over = f"{history.metric} over {count(nights)} night{'' if nights == 1 else 's'}"
    between = f"between {_shown(min(known), unit)} and {_shown(max(known), unit)}" if known else "no value"
    said = [f"{over}: {between}, {_tonight(history)}"]
    said += [_changes(history)] if history.changes else []
    said += [_target(history)] if history.target else []
    return "; ".join(said) + "."


def _tonight(history: MetricNights) -> str:
    """Tonight against the baseline."""
    value, baseline = history.nights[-1].value, history.baseline
    said = "tonight no value" if value is None else f"tonight {_shown(value, history.unit)}"
    if baseline is None:
        return f"{said}, no baseline"
    level = f"the baseline of {_shown(baseline.centre, history.unit)}"
    if value is None or baseline.effect is None:
        return f"{said}, {level}"
    size = change(abs(baseline.effect)).lstrip("+")
    return f"{said}, {size} {'above' if baseline.effect >= 0 else 'below'} {level}"


def _changes(history: MetricNights) -> str:
    when = {each.night: each.started_at for each in history.nights}
    said = [
        f"changed {change(each.effect)} on {_date(when[each.night])}"
        for each in history.changes
        if each.night in when
    ]
    return ", ".join(said) or "changed before these nights"


def _target(history: MetricNights) -> str:
    value = history.nights[-1].value
    bounds = " and ".join(f"{op} {_shown(limit, history.unit)}" for op, limit in history.target)
    met = value is not None and keeps(value, history.target)
    return f"target {bounds} {'met' if met else 'missed'}"


def _table(history: MetricNights) -> Table:
    released = any(each.release is not None for each in history.nights)
    head = ("night (UTC)", "value", "state", *(("release",) if released else ()))
    return Table(
        head,
        tuple(
            (
                f"{each.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
                _shown(each.value, history.unit),
                each.state,
                *(("" if each.release is None else release_text(each.release),) if released else ()),
            )
            for each in history.nights
        ),
    )


def _date(instant: datetime) -> str:
    instant = instant.astimezone(UTC)
    return f"{instant.day} {instant:%b %Y}"


def _shown(value: float | None, unit: str) -> str:
    return number(value, unit)
