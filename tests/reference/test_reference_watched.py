"""The reference backend with somebody who watches: what arrives, under which name, and what does not."""

import json

import pytest
from reference.conftest import running
from sentry_servers import kent
from waiting import until
from websockets.sync.client import connect

from nightbench.reference.__main__ import _watch
from nightbench.reference.provide import _environment
from nightbench.settings import Settings

ELSEWHERE = "http://key@127.0.0.1:1/1"


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """What a Kent was told of one connection, with replies that were given and replies that failed."""
    with kent(tmp_path_factory.mktemp("kent")) as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("NIGHTBENCH_REFERENCE_SENTRY_DSN", server.dsn)
        environment.setenv("SENTRY_DSN", ELSEWHERE)
        with running("--delay", "fixed", "--delay-ms", "0", "--error-rate", "0.5") as address:
            talk_until_both(address)
        server.wait_items("transaction", 1)
        return address, server.items()


def talk_until_both(address):
    """Messages over a connection whose token stands in its address, until a reply was given and one failed."""
    seen = set()
    with connect(f"{address.websocket_url}?token={address.token}", compression=None) as connection:

        def both():
            connection.send(json.dumps({"type": "chat", "id": "1", "message": "my password is hunter2"}))
            while (kind := json.loads(connection.recv())["type"]) == "chunk":
                pass
            seen.add(kind)
            return seen == {"done", "error"}

        until(both)


def of_kind(items, kind):
    return [item.body for item in items if item.type == kind]


def test_a_connection_is_a_transaction_named_by_its_route(watched):
    (transaction,) = of_kind(watched[1], "transaction")
    assert transaction["transaction"] == "/api/v1/pam"
    assert transaction["environment"] == "local"
    assert transaction["release"].startswith("pam-backend@")
    assert {(span["op"], span["description"]) for span in transaction["spans"]} == {
        ("chat.reply", "Chat._reply")
    }


def test_a_reply_that_failed_is_an_error_of_that_connection(watched):
    (transaction,) = of_kind(watched[1], "transaction")
    event = of_kind(watched[1], "event")[0]
    assert (event["message"], event["level"]) == ("the assistant is not available", "error")
    assert event["tags"] == {"reply": "failed", "service": "pam-backend"}
    assert event["contexts"]["trace"]["trace_id"] == transaction["contexts"]["trace"]["trace_id"]


def test_neither_the_token_nor_what_was_said_arrives(watched):
    address, items = watched
    told = json.dumps([(item.header, str(item.body), item.envelope) for item in items])
    assert address.token not in told
    assert "hunter2" not in told


def test_what_the_shell_watches_with_does_not_watch_a_run(monkeypatch):
    monkeypatch.setenv("SENTRY_DSN", ELSEWHERE)
    assert _watch() is None


def test_the_backend_of_a_run_is_told_by_its_environment_who_watches():
    told = _environment(Settings(reference_sentry_dsn=ELSEWHERE, environment="staging"))
    assert (told["NIGHTBENCH_REFERENCE_SENTRY_DSN"], told["NIGHTBENCH_ENVIRONMENT"]) == (ELSEWHERE, "staging")


def test_without_the_setting_nobody_watches():
    assert "NIGHTBENCH_REFERENCE_SENTRY_DSN" not in _environment(Settings())
