"""What is said, and how it is grouped."""

from __future__ import annotations

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric

from nightbench.alerts.alert import alerts_of
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.plan import Suite, Tier
from nightbench.target import Target

P95 = "message.response_time.p95"


def missed(number: int = 0, value: float | None = 5000):
    return verdict_of(with_metric(websocket_measurement(number=number), P95, value))


def test_a_night_that_went_well_says_nothing() -> None:
    assert alerts_of([verdict_of(websocket_measurement()), verdict_of(database_measurement())]) == ()


def test_a_missed_target_is_an_error_with_its_numbers() -> None:
    (alert,) = alerts_of([missed()])
    assert (alert.kind, alert.level) == ("target_missed", "error")
    assert alert.fingerprint == ("target_missed", "websocket", "full", P95, "local")
    wanted = {"value": 5000, "limit": 2000, "op": "<", "unit": "ms", "n": 400}
    assert {key: alert.context[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5000, "5000 ms, wanted < 2000 ms; 400 samples"),
        (2430.123, "2430.12 ms, wanted < 2000 ms; 400 samples"),
        (None, "no value, wanted < 2000 ms; 400 samples"),
    ],
)
def test_whoever_is_woken_up_reads_the_numbers(value: float | None, text: str) -> None:
    (alert,) = alerts_of([missed(value=value)])
    assert alert.text == text


@pytest.mark.parametrize("value", [5000, 6000, None])
def test_what_groups_an_alert_is_the_same_every_night(value: float | None) -> None:
    first, later = alerts_of([missed(), missed(number=8, value=value)])
    assert (first.title, first.fingerprint) == (later.title, later.fingerprint)


def test_every_missed_target_has_an_alert_of_its_own() -> None:
    worse = verdict_of(with_metric(missed().measurement, "connection.success_rate", 50.0))
    assert len({alert.fingerprint for alert in alerts_of([worse])}) == 2


def test_an_invalid_measurement_is_one_warning_whatever_it_missed() -> None:
    (alert,) = alerts_of([verdict_of(invalidated(missed().measurement, "busy", "late"))])
    assert (alert.kind, alert.level, alert.metric) == ("invalid", "warning", "validity")
    assert alert.context["reasons"] == ["busy", "late"]


@pytest.mark.parametrize(("complete", "what"), [(True, "invalid"), (False, "incomplete")])
def test_an_incomplete_measurement_is_called_so_and_is_the_same_issue(complete: bool, what: str) -> None:
    measurement = invalidated(websocket_measurement(), "incomplete after 2.0 s", complete=complete)
    (alert,) = alerts_of([verdict_of(measurement)])
    assert alert.title == f"full websocket: the measurement is {what}"
    assert alert.fingerprint == ("invalid", "websocket", "full", "validity", "local")


@pytest.mark.parametrize(
    ("tier", "suite", "title"),
    [
        (None, None, "night: failed"),
        ("full", None, "full: failed"),
        ("full", "database", "full database: failed"),
    ],
)
def test_a_failure_is_tagged_with_what_it_is_about(
    tier: Tier | None, suite: Suite | None, title: str
) -> None:
    alert = failure_alert(Failure(tier, suite, "local", "n", "gone"))
    assert alert.title == title
    assert (alert.tags["tier"], alert.tags["suite"]) == (tier or "all", suite or "all")
    assert alert.fingerprint == ("failed", suite or "all", tier or "all", "run", "local")


def test_a_crash_is_an_issue_beside_what_failed() -> None:
    alert = failure_alert(Failure(None, None, "local", "n", "killed by signal 9", kind="crashed"))
    assert (alert.kind, alert.level, alert.title) == ("crashed", "error", "night: crashed")
    assert alert.fingerprint == ("crashed", "all", "all", "run", "local")


@pytest.mark.parametrize("reasons", [(), ("busy",)])
def test_a_leak_is_an_error_also_of_an_invalid_measurement(reasons: tuple[str, ...]) -> None:
    measurement = invalidated(database_measurement(leaked_rows=3), *reasons)
    alerts = {alert.kind: alert for alert in alerts_of([verdict_of(measurement)])}
    assert set(alerts) == {"tenant_leak", *(["invalid"] if reasons else [])}
    assert alerts["tenant_leak"].level == "error"
    assert alerts["tenant_leak"].context["value"] == 3


def test_a_leak_is_told_whatever_the_targets_say() -> None:
    plan = database_measurement().plan.model_copy(
        update={"targets": (Target(metric="query.leaked_rows", op="<", limit=10),)}
    )
    alerts = alerts_of([verdict_of(database_measurement(leaked_rows=3, plan=plan))])
    assert [alert.kind for alert in alerts] == ["tenant_leak"]
