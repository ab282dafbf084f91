"""When scrubbing itself fails, or what is sent is hostile: nothing leaks, and an event still arrives."""

import logging

import pytest
import sentry_sdk
from privacy_cases import texts_of
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import HttpTransport
from sentry_servers import kent

from nightbench.observability import privacy
from nightbench.observability.privacy import bounds, transport
from nightbench.observability.privacy import event as event_parts
from nightbench.observability.privacy import item as items
from nightbench.observability.privacy.minimal import minimal_event

SECRET = "hunter2-of-anna@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with kent(tmp_path_factory.mktemp("kent")) as server:
        yield server


@pytest.fixture
def client(server):
    server.clear()
    client = sentry_sdk.Client(
        dsn=server.dsn,
        release="pam-backend@1.2.3",
        traces_sample_rate=1.0,
        default_integrations=False,
        auto_enabling_integrations=False,
        **privacy.options(),
    )
    with sentry_sdk.isolation_scope(), sentry_sdk.new_scope() as scope:
        scope.set_client(client)
        yield client
    client.close(1)


def explode(error):
    def part(*_, **__):
        raise error

    return part


def arrived(client, server):
    client.flush(10)
    return server.items()


@pytest.mark.parametrize("error", [ValueError(SECRET), RecursionError(SECRET), MemoryError(SECRET)], ids=type)
def test_the_minimum_of_an_event_arrives(error, client, server, monkeypatch):
    monkeypatch.setitem(event_parts._PARTS, "exception", explode(error))
    sentry_sdk.get_current_scope().fingerprint = ["pam", "login failed"]
    sentry_sdk.set_tag("token", SECRET)
    event_id = sentry_sdk.capture_exception(PermissionError(SECRET))
    [item] = arrived(client, server)
    assert item.body["event_id"] == event_id
    assert item.body["fingerprint"] == ["pam", "login failed"]
    assert item.body["release"] == "pam-backend@1.2.3"
    assert [each["type"] for each in item.body["exception"]["values"]] == ["PermissionError"]
    assert "redacted" in item.body["exception"]["values"][0]["value"]
    assert not [text for text in texts_of(item.body) if "hunter2" in text or "anna" in text]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (bounds, "whole_text"),
        (bounds, "bounded"),
        (event_parts, "bounded"),
        (event_parts, "by_parts"),
        (items, "_item"),
        (items, "_told"),
        (items, "json_dumps"),
        (transport, "scrubbed_item"),
        (transport, "scrubbed_headers"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__.rpartition(".")[2],
)
def test_whatever_fails_the_event_arrives_as_one_of_its_issue(module, name, client, server, monkeypatch):
    monkeypatch.setattr(module, name, explode(RuntimeError(SECRET)))
    sentry_sdk.get_current_scope().fingerprint = ["pam", "login failed"]
    event_id = sentry_sdk.capture_exception(PermissionError(SECRET))
    [item] = [each for each in arrived(client, server) if each.type == "event"]
    assert (item.body["event_id"], item.body["fingerprint"]) == (event_id, ["pam", "login failed"])
    assert item.envelope["event_id"] == event_id
    assert not [text for text in texts_of([item.body, item.envelope]) if "hunter2" in text]


def test_another_item_is_not_sent_but_counted(client, server, monkeypatch, caplog):
    monkeypatch.setitem(items._RULES, "log", explode(ValueError(SECRET)))
    with caplog.at_level(logging.WARNING):
        client.transport.capture_envelope(
            Envelope(
                items=[Item(PayloadRef(json={"items": [SECRET]}), type="log", headers={"item_count": 3})]
            )
        )
        [item] = arrived(client, server)
    assert item.type == "client_report"
    lost = {(each["reason"], each["category"]): each["quantity"] for each in item.body["discarded_events"]}
    assert lost["internal_sdk_error", "log_item"] == 3
    assert "hunter2" not in caplog.text
    assert "'log'" in caplog.text


def test_an_sdk_without_a_step_in_the_background_is_scrubbed_for_as_well(client, server, monkeypatch):
    monkeypatch.setattr(transport, "_HAS_BACKGROUND", False)
    monkeypatch.setattr(privacy.ScrubbingTransport, "_send_envelope", HttpTransport._send_envelope)
    sentry_sdk.capture_message(f"it arrives without password={SECRET}")
    [item] = arrived(client, server)
    assert item.body["message"].startswith("it arrives without")
    assert not [text for text in texts_of(item.body) if "hunter2" in text]


def test_a_transaction_that_cannot_be_scrubbed_is_not_sent(client, server, monkeypatch):
    monkeypatch.setitem(event_parts._PARTS, "spans", explode(ValueError(SECRET)))
    with sentry_sdk.start_transaction(name=SECRET), sentry_sdk.start_span(op="db", name=SECRET):
        pass
    assert [item.type for item in arrived(client, server)] == ["client_report"]


class Hostile(dict):
    def __raise(self, *_):
        raise RuntimeError(SECRET)

    __str__ = __repr__ = __len__ = __iter__ = items = keys = values = __getitem__ = __bool__ = __raise


def shared(depth):
    value = [SECRET]
    for _ in range(depth):
        value = [value, value]
    return value


def deep(depth):
    value = {"password": SECRET}
    for _ in range(depth):
        value = {"inner": value}
    return value


def knot():
    value = {"password": SECRET}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "make",
    [
        Hostile,
        lambda: shared(60),
        lambda: deep(5_000),
        knot,
        lambda: "\ud800",
        lambda: list(range(10**6)),
        object,
    ],
    ids=["hostile", "shared", "deep", "cyclic", "surrogate", "broad", "object"],
)
def test_whatever_hangs_on_it_the_event_arrives(make, client, server):
    value = make()
    scope = sentry_sdk.get_current_scope()
    scope.set_extra("value", value)
    scope.set_context("context", {"value": value})
    scope.set_tag("tag", value)
    scope.set_user({"id": value})
    sentry_sdk.add_breadcrumb(message="crumb", data={"value": value})
    sentry_sdk.capture_message("it arrives")
    with sentry_sdk.start_transaction(name="a step") as transaction:
        transaction.set_data("value", value)
        with sentry_sdk.start_span(op="step") as span:
            span.set_data("value", value)
    event, traced = (item.body for item in arrived(client, server))
    assert event["message"] == "it arrives"
    assert event["contexts"]["context"]
    assert traced["spans"]
    assert not [text for text in texts_of([event, traced]) if "hunter2" in text]


@pytest.mark.parametrize(
    ("event", "fingerprint"),
    [
        ({}, ["redacted"]),
        (None, ["redacted"]),
        ({"exception": {"values": [{"type": "KeyError"}, {"type": "no type"}, 7]}}, ["redacted", "KeyError"]),
        ({"fingerprint": ["{{ default }}", "x.y"]}, ["{{ default }}", "x.y"]),
        ({"fingerprint": "text"}, ["redacted"]),
    ],
)
def test_the_minimum_has_a_fingerprint(event, fingerprint):
    assert minimal_event(event)["fingerprint"] == fingerprint


def test_a_part_of_a_fingerprint_that_may_be_a_secret_is_hashed_the_same_each_time():
    first, second = (minimal_event({"fingerprint": ["login", SECRET]})["fingerprint"] for _ in range(2))
    assert first == second
    assert first[0] == "login"
    assert SECRET not in first[1]


@pytest.mark.parametrize(
    "key", ["event_id", "timestamp", "level", "release", "environment", "fingerprint", "exception"]
)
@pytest.mark.parametrize(
    "value", [SECRET, Hostile(), [Hostile()], {"values": [{"type": SECRET}]}, float("nan")]
)
def test_the_minimum_says_nothing_that_an_event_said(key, value):
    assert not [text for text in texts_of(minimal_event({key: value})) if "hunter2" in text]
