"""Nights one after another against a real server: one issue a place, reminders, roll-ups, and the end of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import verdict_of, with_metric
from pydantic import SecretStr
from remembering import P95, judged, leaking, line_of, missed, night_id, well
from sentry_servers import Bugsink, bugsink

from nightbench.alert_settings import AlertSettings
from nightbench.alerts.delivery import DeliveryReport
from nightbench.alerts.failure import Failure
from nightbench.alerts.state import OpenAlerts
from nightbench.night_alerts import NightAlerts
from nightbench.settings import Settings
from nightbench.verdict.verdict import SuiteVerdict


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    with bugsink(tmp_path_factory.mktemp("bugsink")) as server:
        yield server


class Nights:
    """Nights of one outbox, one after another."""

    def __init__(self, server: Bugsink, folder: Path, **alerts: Any) -> None:
        self.server = server
        self.settings = Settings(results=folder, sentry_dsn=server.dsn, alerts=self.told(**alerts))
        self.last: NightAlerts | None = None
        self.number = -1

    def told(self, **alerts: Any) -> AlertSettings:
        return AlertSettings(**{"api_token": self.server.token, **alerts})

    def night(self, *verdicts: SuiteVerdict, failures: tuple[Failure, ...] = ()) -> DeliveryReport:
        """The next night, which found these."""
        self.number += 1
        self.last = NightAlerts(self.settings, night_id(self.number))
        tonight = [
            replace(each, measurement=replace(each.measurement, night_id=night_id(self.number)))
            for each in verdicts
        ]
        self.last.find(tonight, failures)
        self.last.put()
        return self.last.deliver()

    def decisions(self) -> list[str]:
        assert self.last is not None
        return [record.decision for record in self.last.records]

    def issues(self) -> dict[str, tuple[int, bool]]:
        """How many events each has, and whether it is resolved, by title."""
        return {
            issue["calculated_value"]: (issue["digested_event_count"], issue["is_resolved"])
            for issue in self.server.issues()
        }


@pytest.fixture
def nights(server: Bugsink, tmp_path: Path) -> Nights:
    server.clear()
    return Nights(server, tmp_path)


MISSED = f"full websocket: {P95} misses its target"
WORSE = f"full websocket: {P95} is worse than before"


def test_a_broken_week_is_one_issue_with_seven_events_and_ends(nights: Nights) -> None:
    for number in range(7):
        report = nights.night(missed(value=2100.0 + number))
        assert (report.delivered, report.reasons, report.recovered) == (1, (), ())
    assert nights.issues() == {MISSED: (7, False)}

    report = nights.night(well())
    assert report.recovered == (f"back: full websocket {P95} (target missed, well again): resolved",)
    assert nights.issues() == {MISSED: (7, True)}
    assert nights.decisions() == ["recovered"]
    assert nights.night(well()).recovered == ()

    nights.night(missed())
    assert nights.issues() == {MISSED: (8, False)}


def test_the_event_that_arrives_says_what_the_reader_needs(nights: Nights) -> None:
    nights.night(missed(value=2430.5))
    (event,) = nights.server.events()
    assert event["message"]["formatted"].splitlines()[2] == "2430.5 ms, wanted < 2000 ms; 400 samples"
    assert event["fingerprint"] == ["target_missed", "websocket", "full", P95, "local"]


def test_a_regression_that_lasts_is_told_reminded_of_and_ends(server: Bugsink, tmp_path: Path) -> None:
    server.clear()
    nights = Nights(server, tmp_path, reminder_nights=3)
    decisions = []
    for number in range(8):
        nights.night(judged(line_of("regression"), number=number))
        decisions += nights.decisions()
    assert decisions == ["told", "known", "known", "reminder", "known", "known", "reminder", "known"]
    nights.night(judged(line_of("noisy")))
    assert nights.issues() == {WORSE: (3, False)}
    nights.night(judged(line_of("steady")))
    assert nights.issues() == {WORSE: (3, True)}
    assert OpenAlerts(nights.settings.outbox_folder).read().entries == ()


def test_more_than_are_told_one_by_one_are_a_roll_up(server: Bugsink, tmp_path: Path) -> None:
    server.clear()
    nights = Nights(server, tmp_path, most_a_night=3)
    lines = [line_of(metric=f"m{number}.p95") for number in range(5)]
    nights.night(judged(*lines), leaking())
    events = server.events()
    assert [event["tags"]["kind"] for event in events] == [
        "tenant_leak",
        "regression",
        "regression",
        "roll_up",
    ]
    text = events[-1]["message"]["formatted"]
    assert [f"m{number}.p95 is worse" in text for number in range(5)] == [False, False, True, True, True]
    report = nights.night(judged(*[replace(line, state="steady") for line in lines]), leaking(rows=0))
    assert sum("only a roll-up told of it" in said for said in report.recovered) == 3
    assert all(resolved for _, resolved in nights.issues().values())


def test_what_is_bad_in_another_suite_stays_open(nights: Nights) -> None:
    nights.night(missed(), leaking())
    nights.night(well(), leaking())
    assert {title: resolved for title, (_, resolved) in nights.issues().items()} == {
        MISSED: True,
        "full database: rows of another tenant were read": False,
    }


def test_what_is_bad_with_another_plan_stays_open(nights: Nights) -> None:
    measurement = missed().measurement
    lighter = verdict_of(replace(measurement, plan=measurement.plan.model_copy(update={"users": 3})))
    nights.night(missed())
    nights.night(lighter)
    assert nights.night(well()).recovered == ()
    assert nights.issues() == {MISSED: (2, False)}
    better = with_metric(lighter.measurement, P95, 20.0)
    assert len(nights.night(verdict_of(better)).recovered) == 1
    assert nights.issues() == {MISSED: (2, True)}


def test_another_environment_of_the_same_project_is_another_issue(nights: Nights, tmp_path: Path) -> None:
    def in_production(verdict: SuiteVerdict) -> SuiteVerdict:
        return verdict_of(replace(verdict.measurement, environment="production"))

    other = Nights(nights.server, tmp_path / "other")
    other.settings = other.settings.model_copy(update={"environment": "production"})
    nights.night(missed())
    other.night(in_production(missed()))
    nights.night(well())
    resolved = {
        event["environment"]: issue["is_resolved"]
        for event, issue in zip(nights.server.events(), nights.server.issues(), strict=True)
    }
    assert resolved == {"local": True, "production": False}


def test_a_crash_is_over_with_the_next_night_of_its_flow(nights: Nights) -> None:
    gone = Failure(None, None, "local", night_id(0), "killed by signal 9", kind="crashed")
    teller = NightAlerts(nights.settings)
    teller.find((), [gone], links={"run": "https://prefect.example/runs/1"})
    teller.put()
    teller.deliver()
    (event,) = nights.server.events()
    assert event["contexts"]["links"] == {"run": "https://prefect.example/runs/1"}
    nights.number = 0
    nights.night(well())
    assert nights.issues() == {"night: crashed": (1, True)}


def test_nothing_is_resolved_before_its_alert_has_arrived(nights: Nights) -> None:
    up = nights.settings
    down = {
        "sentry_dsn": SecretStr("http://key@127.0.0.1:9/1"),
        "alerts": nights.told(api_url=nights.server.api_url),
    }
    nights.settings = up.model_copy(update=down)
    assert nights.night(missed()).undelivered == 1
    report = nights.night(well())
    assert report.recovered == ()
    assert "what is well again is resolved once its alert has arrived" in report.reasons
    nights.settings = up
    report = nights.night(well())
    assert (report.delivered, len(report.recovered)) == (1, 1)
    assert nights.issues() == {MISSED: (1, True)}


def test_without_a_token_it_is_said_once_what_to_resolve(server: Bugsink, tmp_path: Path) -> None:
    server.clear()
    nights = Nights(server, tmp_path)
    nights.settings = nights.settings.model_copy(update={"alerts": AlertSettings()})
    nights.night(missed())
    said = (f"back: full websocket {P95} (target missed, well again); resolve its issue by hand",)
    assert nights.night(well()).recovered == said
    assert nights.night(well()).recovered == ()
    assert nights.issues() == {MISSED: (1, False)}


@pytest.mark.parametrize(
    ("alerts", "why"),
    [
        ({"api_token": "wrong"}, "NIGHTBENCH_ALERTS__API_TOKEN"),
        ({"api_url": "http://127.0.0.1:9/api/canonical/0"}, "cannot be reached"),
    ],
)
def test_an_api_that_does_not_do_it_is_a_reason_and_is_asked_again(
    nights: Nights, alerts: dict, why: str
) -> None:
    nights.night(missed())
    right = nights.settings
    nights.settings = right.model_copy(update={"alerts": nights.told(**alerts)})
    report = nights.night(well())
    assert (report.recovered, len(report.reasons)) == ((), 1)
    assert why in report.reasons[0]
    assert nights.server.token not in report.reasons[0]
    nights.settings = right
    assert len(nights.night(well()).recovered) == 1
    assert nights.issues() == {MISSED: (1, True)}


def test_what_another_machine_told_later_is_not_resolved(nights: Nights, tmp_path: Path) -> None:
    other = Nights(nights.server, tmp_path / "other")
    other.number = 5
    nights.night(missed())
    other.night(missed())
    report = nights.night(well())
    assert "by another night since" in report.recovered[0]
    assert nights.issues() == {MISSED: (2, False)}
