"""What is sent beside errors, read back from a real server: transactions, profiles, logs, attachments and the rest."""

import logging
import threading
import time

import pytest
import sentry_sdk
from privacy_cases import Case, texts_of
from sentry_sdk.envelope import Envelope, Item
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_servers import kent

from nightbench.observability import privacy, profiling

LOG = logging.getLogger("backend.items")
LOG.propagate = False
LOG.setLevel(logging.INFO)


def span(**parts):
    data = parts.pop("data", {})
    with sentry_sdk.start_span(**parts) as started:
        for key, value in data.items():
            started.set_data(key, value)


def in_data(key, op="function"):
    return lambda text: span(op=op, name="a step", data={key: text})


def described(op):
    return lambda text: span(op=op, name=text)


def attached(name, kind="text/plain"):
    def attach(text):
        with sentry_sdk.isolation_scope() as scope:
            scope.add_attachment(bytes=text.encode(), filename=name, content_type=kind)
            sentry_sdk.capture_message("with an attachment")

    return attach


def enveloped(kind, make):
    def send(text):
        item = Item(sentry_sdk.envelope.PayloadRef(json=make(text)), type=kind)
        sentry_sdk.get_client().transport.capture_envelope(Envelope(items=[item]))

    return send


def profiled(text):
    scope = {}
    exec(
        compile("def spin(until):\n  while clock() < until: pass\n", text, "exec"),
        {"clock": time.monotonic},
        scope,
    )
    thread = threading.Thread(
        target=scope["spin"], args=(time.monotonic() + 0.1,), name="of anna.profile@example.org"
    )
    thread.start()
    thread.join()


KINDS = [
    ("transaction", "statement", described("db"), "[[SELECT id FROM people WHERE nick]] = '<<span-sql-55>>' AND pin = <<7741>>"),
    ("transaction", "statement that goes on", described("db.sql.execute"), r"[[UPDATE t SET]] a = 'C:\', b = ' <<span-escape-55>>'"),
    ("transaction", "dollar quotes", described("db"), "[[DO]] $body$ BEGIN <<span-dollar-55>> END $body$"),
    ("transaction", "comment", described("db"), "[[SELECT]] 1 /* of <<span-comment-55>> */"),
    ("transaction", "other store", described("db"), '{"find": "<<span-mongo-55>>"}'),
    ("transaction", "cache", described("db.redis"), "[[GET]] '[[session]]:<<span-redis-55>>'"),
    ("transaction", "call", described("http.client"), "[[GET https://api.example/v1]]?key=<<span-query-55>>"),
    ("transaction", "process", described("subprocess"), "[[backup]] --user <<span-argv-55>>"),
    ("transaction", "db.statement", in_data("db.statement"), "[[DELETE FROM t]] WHERE a = '<<data-sql-55>>'"),
    ("transaction", "db.query.text", in_data("db.query.text"), "[[DELETE FROM u]] WHERE a = '<<data-text-55>>'"),
    ("transaction", "db.params", in_data("db.params"), "<<data-params-55>>"),
    ("transaction", "http.url", in_data("http.url"), "https://api.example/[[v2]]?key=<<data-url-55>>"),
    ("transaction", "url.full", in_data("url.full"), "https://<<data-login-55>>@api.example/[[v3]]"),
    ("transaction", "http.query", in_data("http.query"), "[[page]]=2&key=<<data-query-55>>"),
    ("transaction", "header", in_data("http.request.header.x-ticket"), "<<data-header-55>>"),
    ("transaction", "peer", in_data("net.peer.ip"), "<<198.51.100.31>>"),
    ("transaction", "client", in_data("client.address"), "<<198.51.100.32>>"),
    ("transaction", "cache key", in_data("cache.key"), "[[user]]:<<data-cache-55>>"),
    ("transaction", "prompt", in_data("gen_ai.request.messages"), "<<data-prompt-55>>"),
    ("transaction", "answer", in_data("gen_ai.response.text"), "<<data-answer-55>>"),
    ("transaction", "any data", in_data("note"), "[[said by]] <<anna.data@example.org>>"),
    ("transaction", "path of code", in_data("code.filepath"), "/home/<<annacode>>/[[app_of_spans.py]]"),
    ("transaction", "tag", lambda text: sentry_sdk.set_tag("who", text), "<<anna.tag@example.org>>"),
    ("profile_chunk", "path", profiled, "/home/<<annaprofile>>/[[app_of_profiles.py]]"),
    ("profile_chunk", "thread", lambda _: None, "<<anna.profile@example.org>>"),
    ("log", "text", LOG.info, "[[a log]] of <<anna.log@example.org>>"),
    ("log", "argument", lambda text: LOG.info("argument %s", text), "[[a log]] of <<anna.argument@example.org>>"),
    ("log", "secret argument", lambda text: LOG.info("said password %s", text), "<<log-hunter2>>"),
    ("log", "named argument", lambda text: LOG.info("said %(password)s", {"password": text}), "<<log-named-hunter2>>"),
    ("log", "extra", lambda text: LOG.info("an extra", extra={"password": text}), "<<log-extra-hunter2>>"),
    ("log", "template", lambda text: sentry_sdk.logger.info("by {password}", password=text), "<<log-format-hunter2>>"),
    ("trace_metric", "attribute", lambda text: sentry_sdk.metrics.count("[[turns]]", 1, attributes={"who": text}), "<<anna.metric@example.org>>"),
    ("attachment", "text", attached("a.txt"), "[[a line]]\npassword=<<attached-hunter2>>"),
    ("attachment", "JSON", attached("a.json", "application/json"), '{"[[turn]]": 7, "password": "<<attached-json-55>>"}'),
    ("attachment", "drawing", attached("a.svg", "image/svg+xml"), "<svg><text>[[a drawing]] <<anna.svg@example.org>></text></svg>"),
    ("attachment", "no picture", attached("b.png", "image/png"), "[[not a picture]] of <<anna.png@example.org>>"),
    ("attachment", "no text", attached("c.bin", "application/zip"), "\x00<<attached-binary-55>>"),
    ("attachment", "its name", lambda text: attached(text)("x"), "/home/<<annaname>>/[[named.txt]]"),
    ("check_in", "in its contexts", enveloped("check_in", lambda text: {"check_in_id": "ab" * 16, "monitor_slug": "nightly", "status": "ok", "contexts": {"run": {"password": text}}}), "<<checkin-hunter2>>"),
    ("session", "whose", enveloped("session", lambda text: {"sid": "ab" * 16, "status": "ok", "did": text, "attrs": {"release": "[[r@1]]", "ip_address": text}}), "<<198.51.100.33>>"),
    ("user_report", "whose", enveloped("user_report", lambda text: {"event_id": "ab" * 16, "name": text, "email": text, "comments": "[[it broke]]"}), "<<anna.report@example.org>>"),
    ("span", "sent alone", enveloped("span", lambda text: {"version": 2, "items": [{"name": text, "span_id": "ab" * 8, "attributes": {"sentry.op": {"value": "db", "type": "string"}}}]}), "[[SELECT]] 2 + '<<span-alone-55>>'"),
    ("replay_event", "unknown kind", enveloped("replay_event", lambda text: {"urls": [text]}), "<<replay-55>>"),
    ("client_report", "counts what was lost", lambda _: None, "[[internal_sdk_error]]"),
]  # fmt: skip
CASES = [Case(kind, name, marked) for kind, name, _, marked in KINDS]


@pytest.fixture(scope="module")
def arrived(tmp_path_factory):
    """Every item as the server got it, after all were sent by one client."""
    with kent(tmp_path_factory.mktemp("kent")) as server:
        options = privacy.options() | {"enable_logs": True}
        profiling.make_safe()
        sentry_sdk.init(
            dsn=server.dsn,
            traces_sample_rate=1.0,
            profile_session_sample_rate=1.0,
            profile_lifecycle="trace",
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[LoggingIntegration(level=logging.INFO)],
            **options,
        )
        with sentry_sdk.isolation_scope():
            with sentry_sdk.start_transaction(
                name="/api/v1/pam?token=transaction-name-55", op="websocket.server"
            ):
                for kind, _, send, marked in KINDS:
                    send(Case(kind, "", marked).text)
            server.wait_items("profile_chunk", 1)
        sentry_sdk.get_client().close(10)
        sentry_sdk.get_global_scope().set_client(None)
        return server.wait_items("client_report", 1) and server.items()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_of_an_item(case, arrived):
    for secret in case.secrets:
        assert [item.type for item in arrived if any(secret in text for text in texts_of(shown(item)))] == []
    of_its_kind = [text for item in arrived if item.type == case.place for text in texts_of(shown(item))]
    for word in case.stays:
        assert any(word in text for text in of_its_kind), of_its_kind


def test_a_transaction_keeps_its_name_and_identifiers(arrived):
    [transaction, *_] = [item.body for item in arrived if item.type == "transaction"]
    assert transaction["transaction"] == "/api/v1/pam"
    trace = transaction["contexts"]["trace"]
    assert len(trace["trace_id"]) == 32
    assert {each["trace_id"] for each in transaction["spans"]} == {trace["trace_id"]}
    assert {each["parent_span_id"] for each in transaction["spans"]} == {trace["span_id"]}


def test_nothing_of_an_envelope_s_header_is_told_but_its_trace(arrived):
    headers = [item.envelope for item in arrived]
    assert set().union(*headers) <= {"event_id", "sent_at", "trace"}
    assert not [text for text in texts_of(headers) if "transaction-name-55" in text]


def shown(item):
    return [item.body.decode("utf-8", "replace") if isinstance(item.body, bytes) else item.body, item.header]
