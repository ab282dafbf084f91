"""``nightbench alerts``: test, status and flush."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from posted import put
from sentry_stub import Says, serving

from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_status import KeptAlert, OutboxStatus
from nightbench.alerts.state import Known
from nightbench.cli import run_command
from nightbench.cli.alert_listing import status_lines
from nightbench.history.store import HistoryStore

NOBODY = "http://hunter2@127.0.0.1:9/7"


@pytest.fixture
def outbox(clean_settings, tmp_path):
    return Outbox(tmp_path / "results" / "outbox")


@pytest.fixture
def says(clean_settings, capsys, monkeypatch):
    """Run a command with a DSN; gives its exit code and its JSON document."""

    def run(*arguments, dsn):
        monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", dsn)
        code = run_command(["alerts", *arguments, "--json", "-"])
        out, err = capsys.readouterr()
        assert "hunter2" not in out + err
        return code, json.loads(out)

    return run


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (200, 0, ("accepted", "")),
        (Says(403, body=b'{"detail": "wrong key"}'), 3, ("refused", "wrong key")),
        (429, 3, ("undelivered", "HTTP 429")),
        (500, 3, ("undelivered", "HTTP 500")),
    ],
)
def test_a_harmless_event_tells_what_the_server_says(says, outbox, answer, code, said):
    put(outbox, 1)
    state, reason = said
    with serving(answer) as stub:
        got, document = says("test", "--environment", "staging", dsn=stub.dsn)
    (event,) = stub.events
    assert (got, document["state"]) == (code, state)
    assert reason in document["reason"]
    assert document["event_id"] == event["event_id"]
    assert (event["level"], event["fingerprint"]) == ("info", ["test", "all", "all", "alerts", "staging"])
    # past the queue, and without a trace
    assert len(outbox.pending()) == 1
    assert outbox.set_aside_ones() == []


def test_a_server_that_nobody_reaches_is_said_for_people_too(clean_settings, capsys, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", NOBODY)
    assert run_command(["alerts", "test"]) == 3
    out = capsys.readouterr().out
    assert out == "undelivered: 127.0.0.1:9 cannot be reached: the connection was refused\n"


@pytest.mark.parametrize("command", ["test", "flush"])
def test_without_a_dsn_it_is_a_wrong_configuration(refused, command):
    refused(f"alerts {command}", {}, "", ["NIGHTBENCH_SENTRY_DSN", "no Sentry DSN is set"])


@pytest.mark.parametrize("command", ["test", "flush"])
@pytest.mark.parametrize("dsn", ["hunter2", "https://key@host/hunter2", "http://hunter2@host:0/1"])
def test_a_malformed_dsn_is_a_wrong_configuration(refused, command, dsn):
    refused(f"alerts {command}", {"NIGHTBENCH_SENTRY_DSN": dsn}, "", ["NIGHTBENCH_SENTRY_DSN"])


def test_status_needs_no_dsn_and_says_that_it_is_malformed(outbox, capsys, monkeypatch):
    put(outbox, 1)
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", "https://hunter2/nothing")
    assert run_command(["alerts", "status", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert len(document["waiting"]) == 1
    assert document["dsn_is_set"]
    assert "not a Sentry DSN" in document["dsn_problem"]
    assert "not a Sentry DSN" in err
    assert "hunter2" not in out + err


def test_flush_posts_what_waits_and_status_follows(says, outbox):
    ids = put(outbox, 3)
    with serving(200, 403, Says(429, {"Retry-After": "3600"}), 200) as stub:
        code, document = says("flush", dsn=stub.dsn)
        assert (code, document["delivered"], document["rejected"], document["undelivered"]) == (3, 1, 1, 1)
        assert [each["state"] for each in document["events"]] == ["delivered", "rejected", "undelivered"]

        code, status = says("status", dsn=stub.dsn)
    assert code == 0
    assert [each["event_id"] for each in status["waiting"]] == [ids[2]]
    assert status["oldest"] == status["waiting"][0]["since"]
    assert [(each["event_id"], each["title"]) for each in status["rejected"]] == [(ids[1], "alert 1")]
    assert "HTTP 403" in status["rejected"][0]["why"]
    assert status["paused_until"] is not None
    assert status["size"] == outbox.pending()[0].stat().st_size


def test_what_was_rejected_is_flushed_when_asked_for(says, outbox):
    put(outbox, 2)
    with serving(403, 403, 200) as stub:
        assert says("flush", dsn=stub.dsn)[0] == 3
        assert says("flush", dsn=stub.dsn)[1]["delivered"] == 0
        code, document = says("flush", "--rejected", dsn=stub.dsn)
    assert (code, document["taken_back"], document["delivered"]) == (0, 2, 2)


def test_flush_tells_the_record_of_the_night(says, outbox, tmp_path):
    (event_id,) = put(outbox, 1)
    row = dict.fromkeys(("run_id", "suite", "tier", "metric"), "all") | {
        "night_id": "night",
        "environment": "local",
        "kind": "failed",
        "title": "night: failed",
        "decision": "told",
        "event_id": event_id,
        "state": "undelivered",
    }
    HistoryStore(tmp_path / "results").save_alerts([row])
    with serving(200) as stub:
        assert says("flush", dsn=stub.dsn)[0] == 0
    (stored,) = HistoryStore(tmp_path / "results").alerts(night="night").to_dict("records")
    assert (stored["state"], stored["decision"], stored["title"]) == ("delivered", "told", "night: failed")


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 min"), (34, "34 min"), (150, "2.5 h"), (2880, "2.0 days"), (-5, "0 min")]
)
def test_how_long_something_waits_is_told_in_a_unit_that_fits(minutes, said):
    begin = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
    found = OutboxStatus((KeptAlert("event", begin, 512, "alert"),), (), 0, None)
    (line, *_) = status_lines(found, Known(), "outbox", begin + timedelta(minutes=minutes))
    assert line.endswith(f"the oldest since 2026-11-24 03:15 UTC ({said})")


def test_what_is_told_to_people_is_short_and_whole(outbox, capsys, monkeypatch):
    put(outbox, 25)
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", NOBODY)
    assert run_command(["alerts", "flush"]) == 3
    flushed = capsys.readouterr().out
    assert flushed.startswith("25 undelivered\n")
    assert "the connection was refused" in flushed
    assert run_command(["alerts", "status"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("25 waiting in ")
    assert out.count("alert ") == 20
    assert "and 5 more" in out


def test_an_empty_outbox_is_nothing_to_flush(outbox, capsys, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", NOBODY)
    assert run_command(["alerts", "flush"]) == 0
    assert capsys.readouterr().out == "nothing waits\n"
    assert not outbox.folder.exists()
