"""Each part of what is sent, by itself: requests, statements, log messages, events."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.observability.privacy import before_breadcrumb, scrubbed_event
from nightbench.observability.privacy.attachment import attachment
from nightbench.observability.privacy.attributes import attribute
from nightbench.observability.privacy.event import _PARTS, user
from nightbench.observability.privacy.logentry import filled
from nightbench.observability.privacy.request import address, headers, names_of_query
from nightbench.observability.privacy.span import span
from nightbench.observability.privacy.statement import command, without_values


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT a1 FROM t WHERE b = 'x' AND c = 12.5e3", "SELECT a1 FROM t WHERE b = '***' AND c = ?"),
        ("SELECT 'it''s' || \"Col\"", "SELECT '***' || \"Col\""),
        ("SELECT E'a\\'b secret' , 1", "SELECT '***' , ?"),
        ("SELECT N'x', X'ff', U&'x'", "SELECT '***', '***', '***'"),
        ("SELECT $1, :name, %(x)s, @p, a.b", "SELECT $1, :name, %(x)s, @p, a.b"),
        ("SELECT $$ secret $$, $t$ ' $t$, 'x'", "SELECT '***', '***', '***'"),
        ("SELECT 'never ends", "SELECT '***'"),
        ("SELECT $x$ never ends", "SELECT '***'"),
        (r"SELECT 'a\', 'secret'", "SELECT '***'"),
        ("  with x as (select 1) -- of anna\nselect * from x", "  with x as (select ?)  \nselect * from x"),
        ("(SELECT 1)", "(SELECT ?)"),
        ("SELECT 1 /* of /* an */ anna */ FROM t", "SELECT ?   FROM t"),
        ("SELECT 1 /* of /* an */ anna", "SELECT ?  "),
        ("COPY t (a) FROM stdin;\n1\tanna\n\\.", "COPY t (a) FROM stdin;"),
        ('SET ROLE "anna"', "SET ROLE ?"),
        ("alter user anna with password 'x'", "alter user ? with password '***'"),
        ("UPDATE user SET role = a", "UPDATE user SET role = a"),
        ('{"find": "anna"}', "***"),
        ("db.people.find anna", "db.people.find ***"),
        ("", "***"),
    ],
)
def test_a_statement_without_its_values(statement, told):
    assert without_values(statement) == told


@pytest.mark.parametrize(
    ("system", "told"), [("mysql", "SELECT '***'"), ("postgresql", 'SELECT "anna"'), (None, 'SELECT "anna"')]
)
def test_in_double_quotes_stands_a_text_or_a_name(system, told):
    given_ = {"op": "db", "description": 'SELECT "anna"', "data": {"db.system": system}}
    assert span(given_)["description"] == told


_WHOLE = [
    "'a'",
    "''",
    '"b"',
    '"\'"',
    "$$ ' $$",
    "$t$ \" $q$ ' $t$",
    "E'\\''",
    "-- it's\n",
    "/* ' */",
    "1",
    "$1",
    " ",
]
_BROKEN = ["'", "''", "\\", '"', "$$", "$t$", "E'", "--", "\n", "/*", "*/", "1", "a", " "]


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(_WHOLE)),
    st.sampled_from(["'%s'", "'%s", "$$%s$$", "$q$%s$q$", "E'\\'%s'", "-- %s\n", "/* '%s */"]),
    st.lists(st.sampled_from(_BROKEN)),
)
def test_no_literal_behind_whole_ones_is_left_whatever_follows(before, quoted, after):
    told = without_values(" ".join(["SELECT", *before, quoted % "annablum"]) + "".join(after))
    assert "annablum" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GET 'session:annablum'", "GET session:***"),
        ("SET user.annablum x", "SET user:***"),
        ("PING", "PING"),
        ("MGET annablum other", "MGET ***"),
        ("", ""),
    ],
)
def test_a_command_without_its_key(text, told):
    assert command(text) == told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://pam.example/a/b?x=1#y", "https://pam.example/a/b"),
        ("https://pam.example/a%3fx=1", "https://pam.example/a"),
        ("https://pam.example/a%25253Fx", "https://pam.example/a"),
        ("https://user:pass@pam.example/a", "https://pam.example/a"),
        ("https://token@pam.example/a", "https://pam.example/a"),
        ("/api/v1/pam", "/api/v1/pam"),
        ("/reset/qKx81oHwLMeaZqo9DZDNjN1GTPdVKsb1/x", "/reset/***/x"),
        ("/reset/9f86d081884c7d659a2feaa0c55ad015", "/reset/***"),
        ("/t/123e4567-e89b-12d3-a456-426614174000", "/t/123e4567-e89b-12d3-a456-426614174000"),
        ("/reports/nightly-2026-11-27-full-tier", "/reports/nightly-2026-11-27-full-tier"),
        ("/api/v2/getConversationSettings2", "/api/v2/getConversationSettings2"),
        (None, None),
        (["https://x"], "***"),
    ],
)
def test_an_address_without_what_a_client_put_in_it(url, told):
    assert address(url) == told


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("a=1&b=2", "a=***&b=***"),
        ("?a=1;b", "a=***&***=***"),
        ("token%3Dx", "token=***"),
        ("a%5B0%5D=1", "a[0]=***"),
        ({"a": 1}, "a=***"),
        ([["a", "1"], ("b", "2"), "c"], "a=***&b=***&***=***"),
        ("", ""),
        (None, None),
        (7, "***"),
    ],
)
def test_the_names_of_a_query(query, told):
    assert names_of_query(query) == told


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"Accept": "*/*", "X-Any": "x"}, {"Accept": "*/*", "X-Any": "***"}),
        ([["accept", "*/*"], ["cookie", "a=b"], "broken"], [["accept", "*/*"], ["cookie", "***"]]),
        ("raw", "***"),
        (None, None),
    ],
)
def test_headers(given_, told):
    assert headers(given_) == told


@pytest.mark.parametrize(
    ("template", "arguments", "told"),
    [
        ("token %s of %s", ("x", "pam"), "token *** of pam"),
        ("password is %r", ("x",), "password is ***"),
        ("%(password)s and %(turn)05.1f", {"password": "x", "turn": 1.25}, "*** and 001.2"),
        ("100%% of %d", (3,), "100% of 3"),
        ("Authorization: %s %s", ("Bearer", "x"), "Authorization: *** ***"),
        ("password: %s/%s of %s", ("x", "y", "pam"), "password: ***/*** of pam"),
        ("password %s; turn %s", ("x", 3), "password ***; turn 3"),
        ("%s and %s", (object(), [1, {"token": "x"}]), "<object> and [1, {'token': '***'}]"),
        ("failed: %s", (ValueError("why"),), "failed: why"),
        ("%d of a thing", ("three",), "three of a thing"),
        ("%*d", (3, 1), None),
        ("%s", ("a", "b"), "a"),
        ("%s %s", ("a",), None),
        ("no place", (), None),
        (7, (1,), None),
    ],
)
def test_a_log_message_made_of_its_template(template, arguments, told):
    assert filled(template, arguments) == told


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        ({"id": "u-42", "email": "anna", "name": "anna"}, {"id": "u-42"}),
        ({"id": 42}, {"id": 42}),
        ({"id": True}, {}),
        ({"username": "anna"}, {}),
        ("anna", {}),
    ],
)
def test_a_user_is_an_identifier_at_most(whole, told):
    assert user(whole) == told


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\xff", "", (b"*** (10 bytes that are no text)", "text/plain")),
        (b"a\x00b", "text/plain", (b"*** (3 bytes that are no text)", "text/plain")),
        (b"x" * 1_000_001, "text/plain", (b"*** (1000001 bytes, too large to be scrubbed)", "text/plain")),
        (b"a line", "application/zip", (b"a line", "text/plain")),
        (b'{"a": [1]}', "application/json", (b'{"a": [1]}', "application/json")),
        (b"{not json", "application/json; charset=utf-8", (b"{not json", "application/json")),
    ],
)
def test_an_attachment(content, kind, told):
    assert attachment(content, kind) == told


def test_what_tells_what_an_event_is_stays():
    event = {
        "event_id": "ab" * 16,
        "timestamp": "2026-11-27T02:15:00.000000Z",
        "level": "error",
        "platform": "python",
        "release": "pam-backend@1.2.3",
        "environment": "production",
        "fingerprint": ["{{ default }}", "message.response_time.p95"],
        "sdk": {"name": "sentry.python", "version": "2.75.0", "packages": []},
        "modules": {"redis": "5.0.1"},
        "logger": "pam.chat",
        "transaction": "/api/v1/pam",
        "measurements": {"turns": {"value": 3, "unit": "none"}},
        "tags": {"tier": "full"},
        "exception": {
            "values": [{"type": "TimeoutError", "module": "pam.chat", "value": "no reply in 2.0 s"}]
        },
    }
    assert scrubbed_event(event) == event


def test_what_is_scrubbed_stays_as_it_is():
    event = {
        "message": "token=x of anna@example.org",
        "request": {
            "url": "ws://h/pam?a=1",
            "query_string": "a=1&b",
            "headers": {"cookie": "a"},
            "data": "x",
        },
        "spans": [
            {"op": "db", "description": "SELECT 'x', 1", "data": {"db.params": [1], "cache.key": "a:b"}}
        ],
        "user": {"id": "7", "email": "anna@example.org"},
        "extra": {"password": "x", "url": "http://u@h/a?b", "environ": {"PATH": "/home/anna/bin"}},
    }
    once = scrubbed_event(event)
    assert scrubbed_event(once) == once


@pytest.mark.parametrize("part", sorted(_PARTS.keys() - {"event_id"}))
@pytest.mark.parametrize(
    "value", ["text", 7, None, [], ["text"], [[1]], {"values": 7}, {"x": None}, {"values": ["t"]}]
)
def test_a_part_of_another_shape_does_no_harm(part, value):
    sent = scrubbed_event({"event_id": "ab" * 16, part: value})
    assert "redacted" not in sent.get("tags", {})
    assert sent["event_id"] == "ab" * 16


@pytest.mark.parametrize("crumb", [{}, {"timestamp": 1}, {"message": object()}, [], None])
def test_a_breadcrumb_of_any_kind_is_taken(crumb):
    assert isinstance(before_breadcrumb(crumb, None), dict)


def test_the_breadcrumb_of_a_log_is_made_of_its_template():
    record = logging.LogRecord("pam", logging.INFO, "f.py", 1, "token %s", ("x-secret",), None)
    crumb = before_breadcrumb({"message": record.getMessage()}, {"log_record": record})
    assert crumb["message"] == "token ***"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("request_id", "4111111111111111", "***"),
        ("x.request_id", 4111111111111111, "***"),
        ("trace_id", "4111 1111 1111 1111", "***"),
        ("event_id", "378282246310005", "***"),
        ("request_id", "0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
        ("request_id", "42", "42"),
        ("db.redis.args", ["anna"], "***"),
    ],
)
def test_an_identifier_has_the_form_of_one(key, value, told):
    assert attribute(key, value) == {key: told}


@pytest.mark.parametrize("name", ["password", "cookies", "http.request.body", "auth"])
def test_a_context_goes_by_its_own_name(name):
    sent = scrubbed_event({"contexts": {name: {"a": "anna", "b": ["anna"], "c": {"d": "anna"}}}})
    assert isinstance(sent["contexts"][name], dict)
    assert "anna" not in str(sent)


def test_versions_of_modules_are_versions():
    told = scrubbed_event({"modules": {"redis": "5.0.1", "a": "token=x-secret"}})["modules"]
    assert told == {"redis": "5.0.1", "a": "token=***"}


@pytest.mark.parametrize("key", ["trace_id", "thread.id", "profiler_id", "sentry.span_id"])
def test_an_identifier_stays_whatever_number_it_looks_like(key):
    assert attribute(key, "4111111111111111") == {key: "4111111111111111"}
