"""Alerts, and what is remembered of them, for the tests of what is told how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import database_measurement, verdict_of, websocket_measurement, with_metric

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.open_alert import OpenAlert
from nightbench.verdict.judgement import Line, LineState, Verdict
from nightbench.verdict.verdict import SuiteVerdict, suite_verdict

P95 = "message.response_time.p95"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def night_id(number: int, flow: str = "nightly") -> str:
    """The id of a night; later numbers sort later."""
    return f"{NOW + timedelta(days=number):%Y%m%dT%H%M%SZ}-{flow}-00000a"


def missed(number: int = 0, value: float | None = 5000.0) -> SuiteVerdict:
    """A WebSocket night whose P95 misses its target, unless `value` meets it."""
    measurement = with_metric(websocket_measurement(number=number), P95, value)
    return verdict_of(replace(measurement, night_id=night_id(number)))


def well(number: int = 0) -> SuiteVerdict:
    """A WebSocket night that met its targets."""
    return verdict_of(replace(websocket_measurement(number=number), night_id=night_id(number)))


def leaking(number: int = 0, rows: int = 3) -> SuiteVerdict:
    """A database night in which rows leaked, unless `rows` is 0."""
    return verdict_of(
        replace(database_measurement(number=number, leaked_rows=rows), night_id=night_id(number))
    )


def line_of(state: LineState = "regression", metric: str = P95, **changes: Any) -> Line:
    """One metric of tonight against the baseline."""
    line = Line("websocket", "full", metric, state, True, True, 0.05, layer=2, value=46.0, baseline=40.0)
    numbers = {"nights": 12, "effect": 0.15, "low": 0.1, "high": 0.2, "p": 1e-6, "p_adjusted": 3e-5}
    return replace(line, **{**numbers, **changes})


def judged(*lines: Line, number: int = 0) -> SuiteVerdict:
    """A WebSocket night with these lines."""
    measurement = replace(websocket_measurement(number=number), night_id=night_id(number))
    return suite_verdict([measurement], Verdict(lines))


def regression(number: int = 0, metric: str = P95, epoch: str = "") -> Alert:
    """The alert of a regression."""
    (alert,) = alerts_of([judged(line_of(metric=metric), number=number)])
    return replace(alert, epoch=epoch)


def opened(alert: Alert, **changes: Any) -> OpenAlert:
    """What is remembered of an alert that night 0 told."""
    entry = OpenAlert(
        kind=alert.kind,
        suite=alert.suite,
        tier=alert.tier,
        metric=alert.metric,
        environment=alert.environment,
        setup=alert.setup,
        epoch=alert.epoch,
        level=alert.level,
        title=alert.title,
        since_night=night_id(0),
        last_night=night_id(0),
        last_at=NOW,
        nights=0,
        event_id="e" * 32,
        own=True,
    )
    return replace(entry, **changes)
