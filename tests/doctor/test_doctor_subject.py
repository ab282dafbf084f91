"""What is said of what is to be loaded: tables of facts, and listeners that do not answer."""

from __future__ import annotations

import socket

import pytest

from nightbench import settings as settings_module
from nightbench.doctor import database, embedded, statements, websocket
from nightbench.doctor.websocket import Opening
from nightbench.tiers import TIERS

DAY = 86_400
DSN = "NIGHTBENCH_DATABASE_DSN"


@pytest.mark.parametrize(
    ("error", "state", "mend"),
    [
        (None, "ok", ""),
        ("handshake_401", "failure", "NIGHTBENCH_TOKEN"),
        ("handshake_403", "failure", "NIGHTBENCH_TOKEN"),
        ("handshake_403", "failure", "path of NIGHTBENCH_WEBSOCKET_URL"),
        ("handshake_404", "failure", "path of NIGHTBENCH_WEBSOCKET_URL"),
        ("handshake_503", "failure", "start the backend"),
        ("connection_refused", "failure", "start the backend"),
        ("tls_certificate_expired", "failure", "renew"),
    ],
)
def test_a_handshake_tells_what_to_mend(error, state, mend):
    finding = websocket.judge_opening("wss://host/chat", Opening(error, 0.012, has_token=True))
    assert finding.state == state
    assert mend in finding.mend


def test_a_refusal_names_its_http_status():
    finding = websocket.judge_opening("ws://host/chat", Opening("handshake_401", 0.012, has_token=True))
    assert "HTTP 401" in finding.why


@pytest.mark.parametrize(
    ("days", "state"), [(-0.1, "failure"), (0.0, "failure"), (13.9, "warning"), (14.0, "ok"), (90, "ok")]
)
def test_a_certificate_is_renewed_in_time(days, state):
    assert websocket.judge_certificate("wss://host", days * DAY).state == state


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (database.judge_version("host", 130_004), "warning"),
        (database.judge_version("host", 140_000), "ok"),
        (database.judge_version("host", 180_006), "ok"),
        (database.judge_connections(33, 34), "failure"),
        (database.judge_connections(34, 34), "ok"),
        (database.judge_leftovers(0, at_work=False), "ok"),
        (database.judge_leftovers(2, at_work=False), "warning"),
        (database.judge_leftovers(2, at_work=True), "ok"),
        (database.judge_statistics(0), "warning"),
        (database.judge_statistics(1), "ok"),
        (statements.judge_role("app", is_super=False, bypasses=False), "ok"),
        (statements.judge_role("app", is_super=True, bypasses=False), "failure"),
        (statements.judge_role("app", is_super=False, bypasses=True), "failure"),
        (statements.judge_policies({"public.a": True}, ""), "ok"),
        (statements.judge_policies({"public.a": True, "public.b": False}, ""), "warning"),
        (statements.judge_policies({"public.a": True}, "it owns public.a"), "failure"),
        (
            embedded.judge_programs(["initdb (PostgreSQL) 18.6", "postgres (PostgreSQL) 18.6"], "", [DSN]),
            "ok",
        ),
        (embedded.judge_programs([], "no such library", [DSN]), "failure"),
    ],
)
def test_facts_are_judged(finding, state):
    assert finding.state == state
    assert bool(finding.mend) == (state != "ok")


@pytest.fixture
def silent():
    """An address that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(websocket, "_WITHIN", 0.1)


def test_a_backend_that_never_answers_is_told_in_time(silent, quick):
    settings = settings_module.load({"websocket_url": f"ws://{silent}/chat"})
    (finding,) = websocket.websocket_findings(settings, TIERS["full"].websocket)
    assert (finding.state, "timeout" in finding.why) == ("failure", True)


def test_the_certificate_of_a_server_that_shows_none_is_no_line_of_its_own(silent, quick):
    settings = settings_module.load({"websocket_url": f"wss://{silent}/chat"})
    assert list(websocket.certificate_findings(settings, TIERS["full"].websocket)) == []


def test_the_embedded_default_can_be_started_here(tmp_path):
    settings = settings_module.load({"cache": tmp_path / "cache"})
    assert [each.state for each in embedded.embedded_findings(settings)] == ["ok", "ok"]
