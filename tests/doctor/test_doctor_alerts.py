"""What is said of the way of an alert, and that the Sentry server is asked without an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from outboxes import waiting
from posted import put
from sentry_servers import bugsink
from sentry_stub import Says, serving

from nightbench import settings as settings_module
from nightbench.alerts.monitor import Monitor, Schedule
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_status import KeptAlert, OutboxStatus
from nightbench.doctor import alerts

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def _kept(hours, why=""):
    return KeptAlert("id", NOW - timedelta(hours=hours), 100, "full websocket: failed", why)


@pytest.mark.parametrize(
    ("waits", "refused", "has_dsn", "state", "mend"),
    [
        ((), (), True, "ok", ""),
        ((_kept(2),), (), True, "ok", ""),
        ((_kept(40), _kept(2)), (), True, "warning", "nightbench alerts flush"),
        ((_kept(2),), (), False, "warning", "NIGHTBENCH_SENTRY_DSN"),
        ((), (_kept(2, "HTTP 403"),), True, "warning", "flush --rejected"),
    ],
)
def test_what_waits_too_long_or_was_refused_is_told(waits, refused, has_dsn, state, mend):
    finding = alerts.judge_outbox(OutboxStatus(waits, refused, 0, None), NOW, has_dsn=has_dsn)
    assert finding.state == state
    assert mend in finding.mend


@pytest.mark.parametrize(
    ("waits", "why"),
    [
        ((_kept(0.2),), "1 alert waits, for 12 min"),
        ((_kept(40), _kept(2)), "2 alerts wait, the oldest for 40 h"),
    ],
)
def test_how_long_alerts_wait_is_told_in_words(waits, why):
    assert alerts.judge_outbox(OutboxStatus(waits, (), 0, None), NOW, has_dsn=True).why.startswith(why)


@pytest.mark.parametrize(
    ("says", "state"),
    [
        (200, "ok"),
        (Says(200, body=b"<html>hello</html>"), "failure"),
        (403, "failure"),
        (404, "failure"),
        (429, "warning"),
        (503, "failure"),
    ],
)
def test_the_answer_to_an_envelope_without_an_event_tells_whether_alerts_arrive(says, state):
    with serving(says) as stub:
        (finding,) = alerts.server_findings(settings_module.load({"sentry_dsn": stub.dsn}))
        assert finding.state == state
        assert [item.type for envelope in stub.envelopes for item in envelope.items] == ["client_report"]


def test_a_server_that_never_answers_is_a_failure(monkeypatch):
    monkeypatch.setattr(alerts, "ANSWER_SECONDS", 0.1)
    with serving(Says(how="hang")) as stub:
        (finding,) = alerts.server_findings(settings_module.load({"sentry_dsn": stub.dsn}))
    assert (finding.state, "did not answer in time" in finding.why) == ("failure", True)


def test_a_real_server_accepts_it_and_keeps_nothing_and_refuses_a_wrong_key(tmp_path):
    with bugsink(tmp_path) as server:
        (accepted,) = alerts.server_findings(settings_module.load({"sentry_dsn": server.dsn}))
        key = server.dsn.partition("//")[2].partition("@")[0]
        wrong = server.dsn.replace(key, "0" * len(key))
        (refused,) = alerts.server_findings(settings_module.load({"sentry_dsn": wrong}))
        assert server.events() == []
    assert (accepted.state, refused.state) == ("ok", "failure")


def test_looking_at_the_outbox_takes_nothing_out_of_it(tmp_path):
    put(Outbox(tmp_path / "outbox"), 2)
    settings = settings_module.load({"results": tmp_path})
    states = {each.name: each.state for each in alerts.outbox_findings(settings)}
    assert states == {"outbox": "warning", "Sentry DSN": "warning"}
    assert len(waiting(tmp_path / "outbox")) == 2


@pytest.mark.parametrize(
    ("monitor", "wanted", "state"),
    [(Monitor(Schedule("15 3 * * *"), 60, 600), True, "ok"), (None, True, "ok"), (None, False, "warning")],
)
def test_whether_anybody_notices_a_missed_night_is_told(monitor, wanted, state):
    assert alerts.judge_monitor(monitor, "local", wanted=wanted).state == state
