"""What Sentry's monitor of the nightly flow is told."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from builders import websocket_measurement
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sentry_servers import kent

from nightbench.alerts.answer import Answer, AnswerKind
from nightbench.alerts.checkin import CheckIn
from nightbench.alerts.monitor import MAX_MINUTES, MAX_SLUG, Monitor, Schedule, monitor_slug, schedule_of
from nightbench.blocks import Skipped
from nightbench.errors import ConfigurationError
from nightbench.night_checkins import TRIES, NightCheckIns, post_check_in, status_of
from nightbench.night_schedule import longest_minutes, monitor_of, project_schedules, schedules_in
from nightbench.outcome import NightOutcome
from nightbench.settings import Settings
from nightbench.tiers import TIERS, tiers_of
from nightbench.verdict.verdict import suite_verdict

MONITOR = Monitor(Schedule("15 3 * * *"), 60, 300)
VERDICT = suite_verdict([websocket_measurement()], None)


@pytest.fixture(scope="module")
def sentry(tmp_path_factory):
    with kent(tmp_path_factory.mktemp("kent")) as server:
        yield server


def told(server) -> list[dict]:
    return [item.body for item in server.items() if item.type == "check_in"]


@pytest.mark.parametrize(
    ("entry", "schedule"),
    [
        ({"cron": "15 3 * * *", "timezone": "UTC"}, Schedule("15 3 * * *")),
        ({"cron": " 0  1 * *  1-5"}, Schedule("0 1 * * 1-5")),
        ({"cron": "@daily", "timezone": "Europe/Berlin"}, Schedule("@daily", timezone="Europe/Berlin")),
        ({"cron": "0 1 13 * *", "day_or": False}, Schedule("0 1 13 * *")),
        ({"interval": 86_400}, Schedule(1, "day")),
        ({"interval": timedelta(hours=36), "timezone": None}, Schedule(36, "hour")),
        ({"interval": 5_400.0}, Schedule(90, "minute")),
        ({"interval": 1_209_600}, Schedule(2, "week")),
    ],
)
def test_a_schedule_of_prefect_is_one_of_sentry(entry, schedule):
    assert schedule_of([{"active": True, **entry}]) == schedule


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([{"cron": "0 15 3 * * *"}], "five fields"),
        ([{"cron": "{{ cron }} x"}], "five fields"),
        ([{"cron": "0 1 13 * 5", "day_or": False}], "either day"),
        ([{"interval": 90}], "whole minutes"),
        ([{"interval": 0}], "whole minutes"),
        ([{"interval": float("nan")}], "whole minutes"),
        ([{"interval": "soon"}], "whole minutes"),
        ([{"interval": True}], "whole minutes"),
        ([{"rrule": "FREQ=DAILY"}], "crontabs and intervals only"),
        ([{"cron": "0 1 * * *"}, {"cron": "0 2 * * *"}], "has one schedule"),
    ],
)
def test_what_no_monitor_can_have_is_said(entries, problem):
    with pytest.raises(ConfigurationError, match=problem):
        schedule_of(entries)


@pytest.mark.parametrize(
    "entries", [[], [{}], [{"cron": None}], [{"cron": "0 1 * * *", "active": False}, {"timezone": "UTC"}]]
)
def test_what_is_never_due_has_no_schedule(entries):
    assert schedule_of(entries) is None


@examples(max_examples=10)
@given(minute=st.integers(0, 59), hour=st.integers(0, 23), zone=st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_a_change_of_prefect_yaml_is_one_of_the_monitor(minute, hour, zone):
    text = (Path(__file__).parents[2] / "prefect.yaml").read_text()
    assert 'cron: "15 3 * * *"' in text
    changed = text.replace("15 3 * * *", f"{minute} {hour} * * *").replace(
        "timezone: UTC", f"timezone: {zone}"
    )
    monitor = monitor_of(schedules_in(changed), Settings(), {})
    assert monitor is not None
    config = monitor.config()
    assert config["schedule"] == {"type": "crontab", "value": f"{minute} {hour} * * *"}
    assert config["timezone"] == zone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deployments: []",
        "deployments: [{name: full, schedules: [{cron: '0 1 * * *'}]}]",
        "deployments: [{name: nightly, paused: true, schedules: [{cron: '0 1 * * *'}]}]",
    ],
)
def test_a_file_without_nights_has_no_monitor(text):
    assert monitor_of(schedules_in(text), Settings(), {}) is None


@pytest.mark.parametrize("text", ["[", "deployments: 3", "deployments: [3]", "3"])
def test_a_file_that_is_none_of_prefect_is_said(text):
    with pytest.raises(ConfigurationError, match=r"prefect\.yaml"):
        schedules_in(text)


def test_a_single_schedule_is_one_too_and_a_missing_file_has_none(tmp_path):
    assert schedules_in("deployments: [{name: nightly, schedule: {interval: 3600}}]") == ({"interval": 3600},)
    assert project_schedules(tmp_path / "prefect.yaml") == ()


def test_a_night_may_take_all_its_repetitions_and_a_bit(tmp_path):
    plans = [TIERS[tier] for tier in tiers_of("nightly")]
    at_least = sum((plan.blocks + plan.reruns) * plan.websocket.duration for plan in plans) / 60
    assert at_least < longest_minutes(plans) < 5 * at_least
    set_by_hand = Settings(alerts={"max_runtime_minutes": 480, "checkin_margin_minutes": 5})
    monitor = monitor_of([{"cron": "0 1 * * *"}], set_by_hand, {})
    assert monitor is not None
    assert (monitor.margin_minutes, monitor.longest_minutes) == (5, 480)


@given(environment=st.text(min_size=1, max_size=64), other=st.text(min_size=1, max_size=64))
def test_a_slug_is_one_that_sentry_takes_and_an_environment_s_own(environment, other):
    slug = monitor_slug(environment)
    assert re.fullmatch(r"nightbench-nightly-[a-z0-9-]*[a-z0-9]", slug)
    assert len(slug) <= MAX_SLUG
    assert (slug == monitor_slug(other)) == (environment == other)


def test_a_plain_environment_is_read_in_the_slug():
    assert monitor_slug("staging-2") == "nightbench-nightly-staging-2"


def test_limits_are_sentry_s():
    config = Monitor(Schedule(1, "day"), 0, 10**9).config()
    assert (config["checkin_margin"], config["max_runtime"]) == (1, MAX_MINUTES)
    assert config["schedule"] == {"type": "interval", "value": 1, "unit": "day"}
    assert (config["failure_issue_threshold"], config["recovery_threshold"]) == (1, 1)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (NightOutcome("n", (VERDICT,)), "ok"),
        (NightOutcome("n"), "error"),
        (NightOutcome("n", (VERDICT,), skipped=(Skipped("full", "database"),)), "error"),
        (None, "error"),
    ],
)
def test_a_night_that_happened_is_ok(outcome, status):
    assert status_of(outcome) == status


def test_begin_and_end_are_one_check_in_with_the_monitor(sentry):
    sentry.clear()
    now = iter([0.0, 100.0, 163.5])
    settings = Settings(sentry_dsn=sentry.dsn, environment="staging")
    check_ins = NightCheckIns(settings, "run-1", MONITOR, clock=lambda: next(now))
    assert check_ins.begin() == ""
    check_ins.outcome = NightOutcome("n", (VERDICT,))
    assert check_ins.end() == ""
    begin, end = told(sentry)
    assert (begin["status"], end["status"]) == ("in_progress", "ok")
    assert begin["check_in_id"] == end["check_in_id"]
    assert re.fullmatch("[0-9a-f]{32}", begin["check_in_id"])
    assert "duration" not in begin
    assert end["duration"] == 63.5
    for each in (begin, end):
        assert each["monitor_slug"] == "nightbench-nightly-staging"
        assert each["environment"] == "staging"
        assert each["monitor_config"] == MONITOR.config()


@pytest.mark.parametrize(
    ("settings", "monitor"),
    [({"sentry_dsn": None}, MONITOR), ({"alerts": {"monitor": False}}, MONITOR), ({}, None)],
)
def test_nobody_is_told_where_nobody_asks(sentry, settings, monitor):
    sentry.clear()
    check_ins = NightCheckIns(Settings(**{"sentry_dsn": sentry.dsn, **settings}), "run-1", monitor)
    assert check_ins.begin() == check_ins.end() == ""
    assert told(sentry) == []


def test_a_server_that_is_down_is_tried_again_and_then_told_of(sentry):
    pauses: list[float] = []
    settings = Settings(sentry_dsn=sentry.dsn)
    sentry.stop()
    problem = post_check_in(settings, CheckIn("run-1", "local", "ok"), pause=pauses.append)
    assert re.fullmatch(
        r"no check-in \(ok\): 127\.0\.0\.1:\d+ cannot be reached: the connection was refused", problem
    )
    assert len(pauses) == TRIES - 1

    def then_back(_seconds: float) -> None:
        sentry.start()

    assert post_check_in(settings, CheckIn("run-2", "local", "ok"), pause=then_back) == ""
    assert len(told(sentry)) == 1


def test_what_is_refused_is_not_tried_again(monkeypatch):
    posted: list[object] = []

    class Refusing:
        def __init__(self, *_args, **_kwargs): ...

        def post(self, envelope):
            posted.append(envelope)
            return Answer(AnswerKind.REFUSED, "wrong key")

    monkeypatch.setattr("nightbench.night_checkins.Poster", Refusing)
    settings = Settings(sentry_dsn="http://key@127.0.0.1:9/1")
    assert post_check_in(settings, CheckIn("run-1", "local", "ok")) == "no check-in (ok): wrong key"
    assert len(posted) == 1
