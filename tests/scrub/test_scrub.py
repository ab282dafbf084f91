"""No secret survives the scrubber, and nothing that only looks like one is eaten."""

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightbench.scrub import REDACTED, scrub, scrub_address, stored_address

# text, what must be gone, what it becomes
SECRETS = [
    ("postgresql://u:hunter2@h/d", "hunter2", "postgresql://u:***@h/d"),
    ("postgresql://user@server:hunter2@h/db", "hunter2", "postgresql://user@server:***@h/db"),
    ("postgresql://u:hun/ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:5432/ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun ter2@h:5432/d", "ter2", "postgresql://u:***@h:5432/d"),
    ("postgresql://u:hun ter2@h", "ter2", "postgresql://u:***@h"),
    ("postgresql://u:12 ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun@ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun@ ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun'ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ('postgresql://u:hun"ter2@h/d', "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun%40ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun#ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun?ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hun:ter2@h/d", "ter2", "postgresql://u:***@h/d"),
    ("postgresql://u:a://hunter2@h/d", "hunter2", "postgresql://u:***@h/d"),
    ("postgresql://u:hunter2@[::1]:5432/d", "hunter2", "postgresql://u:***@[::1]:5432/d"),
    ("postgresql://u:hunter2@a:1,b:2/d", "hunter2", "postgresql://u:***@a:1,b:2/d"),
    ("postgresql+psycopg://u:hunter2@/d", "hunter2", "postgresql+psycopg://u:***@/d"),
    ("postgresql://token:hunter2@h/d", "hunter2", "postgresql://token:***@h/d"),
    ("postgresql://u:hunter2 token=@h/d", "hunter2", "postgresql://u:***"),
    ("postgresql://u@h/d?sslpassword=hunter2&x=1", "hunter2", "postgresql://u@h/d?sslpassword=***&x=1"),
    (
        "postgres://a:hunter2@h/d postgres://b:hunter2@i/e",
        "hunter2",
        "postgres://a:***@h/d postgres://b:***@i/e",
    ),
    (
        "postgres://a:hunter2@h/d,postgres://b:hunter2@i/e",
        "hunter2",
        "postgres://a:***@h/d,postgres://b:***@i/e",
    ),
    ("postgres://a@h/d,postgres://b:hunter2@i/e", "hunter2", "postgres://a@h/d,postgres://b:***@i/e"),
    ("'postgresql://u:hunter2@h/d' is wrong", "hunter2", "'postgresql://u:***@h/d' is wrong"),
    (
        "cannot use postgresql://u:hunter2@h/d: it fails",
        "hunter2",
        "cannot use postgresql://u:***@h/d: it fails",
    ),
    (
        '{"dsn":"postgresql://u:hunter2@h/d","to":"ops@example.com"}',
        "hunter2",
        '{"dsn":"postgresql://u:***@h/d","to":"***"}',
    ),
    (repr(["postgresql://u:hun'\" ter2@h/d", "a@b/c"]), "ter2", "['postgresql://u:***@h/d', 'a@b/c']"),
    (r'"{\"dsn\": \"redis://:hun ter2@h\"}"', "ter2", r'"{\"dsn\": \"redis://:***@h\"}"'),
    ("ws://u:hunter2@h/chat", "hunter2", "ws://u:***@h/chat"),
    ("wss://u:hunter2@h:443/chat", "hunter2", "wss://u:***@h:443/chat"),
    ("http://u:hunter2@h/x", "hunter2", "http://u:***@h/x"),
    ("redis://:hunter2@h:6379/0", "hunter2", "redis://:***@h:6379/0"),
    ("amqp://u:hunter2@h//", "hunter2", "amqp://u:***@h//"),
    ("http://x/?next=foo://u:hunter2@h/d", "hunter2", "http://x/?next=foo://u:***@h/d"),
    ("host=h password=hunter2 user=u", "hunter2", "host=h password=*** user=u"),
    ("host=h password = 'hun ter2' user=u", "ter2", "host=h password = '***' user=u"),
    (r"password='hun\' ter2' user=u", "ter2", "password='***' user=u"),
    (r"password='hunter2\\' user=u", "hunter2", "password='***' user=u"),
    (r"password=hun\ ter2 user=u", "ter2", "password=*** user=u"),
    ("password=hun,&;ter2 user=u", "ter2", "password=*** user=u"),
    ("password='hun ter2", "ter2", "password='***"),
    ("sslpassword=hunter2", "hunter2", "sslpassword=***"),
    ("PGPASSWORD=hunter2 psql", "hunter2", "PGPASSWORD=*** psql"),
    ("export PGPASSWORD='hun ter2'; psql", "ter2", "export PGPASSWORD='***'; psql"),
    ("token=hunter2", "hunter2", "token=***"),
    ("NIGHTBENCH_TOKEN=hunter2", "hunter2", "NIGHTBENCH_TOKEN=***"),
    ("ws://h:80/x?access_token=hunter2&y=1", "hunter2", "ws://h:80/x?access_token=***&y=***"),
    ("ws://h:80/x?token=hunter2@ter2", "ter2", "ws://h:***"),
    ("(ws://h/x?token=hunter2)", "hunter2", "(ws://h/x?token=***)"),
    ('{"api_key": "hunter2", "n": 1}', "hunter2", '{"api_key": "***", "n": 1}'),
    ("{'client_secret': 'hunter2'}", "hunter2", "{'client_secret': '***'}"),
    ("X-Api-Key: hunter2", "hunter2", "X-Api-Key: ***"),
    ("Authorization: Bearer hunter2", "hunter2", "Authorization: Bearer ***"),
    ("authorization: Basic aHVudGVyMg==", "aHVudGVyMg", "authorization: Basic ***"),
    ("-H 'Authorization: hunter2' ws://h/x", "hunter2", "-H 'Authorization: ***' ws://h/x"),
    ('{"Authorization": "Bearer hunter2"}', "hunter2", '{"Authorization": "***"}'),
    ("sent Bearer hunter2 and failed", "hunter2", "sent Bearer *** and failed"),
    ("got eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl back", "c2lnbmF0dXJl", "got *** back"),
    ("one\npostgresql://u:hunter2@h/d\ntwo", "hunter2", "one\npostgresql://u:***@h/d\ntwo"),
]

HARMLESS = [
    "20261124T094720Z-quick-websocket-8b711a",
    "2026-11-24T09:47:20.123456+00:00",
    "ws://127.0.0.1:40123/api/v1/pam",
    "ws://127.0.0.1:40123/api/v1/pam refused; ask ops@example",
    "ws://127.0.0.1:40123/api/v1/pam, meet at 10:30 @ home",
    '{"url":"ws://127.0.0.1:40123/x","to":"ops@example"}',
    "query[expense_listing].execute_time.p95",
    "query[expense_listing].execute_time.p95 < 100",
    "message.response_time.p95 < 2000: 1834.2 ms",
    "connection.connected_users >= 50",
    "/srv/results/suite=websocket/tier=quick/part-0.parquet",
    "/run/secrets/token: No such file or directory",
    "C:\\results",
    "postgresql://user@host:5432/db",
    "'postgresql://user@host:5432/db' and 'ops@example'",
    "postgresql://user@[::1]:5432/db",
    "postgresql://user@server@host/db",
    "postgresql://a@h:1,i:2/d?target_session_attrs=any",
    "[::1]:5432",
    "ws://[::1]:5432/x",
    "meet at 10:30 @ home",
    "FATAL: role postgres@127.0.0.1: no entry",
    "http://example.com says: mail ops@example",
    "the bearer token of the WebSocket",
    "basic authentication failed",
    "max_tokens=5, tokens: 7",
    "password authentication failed for user app",
    "git@github.com:org/repo.git",
    "",
]


@pytest.mark.parametrize(("text", "secret", "expected"), SECRETS)
def test_the_secret_is_gone_and_the_rest_stays(text, secret, expected):
    scrubbed = scrub(text)
    assert secret not in scrubbed
    assert scrubbed == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert scrub(text) == text


def test_what_is_scrubbed_stays_as_it_is():
    scrubbed = [scrub(text) for text in [*(row[0] for row in SECRETS), *HARMLESS]]
    assert [scrub(text) for text in scrubbed] == scrubbed


# Characters that mean something to a URL, a shell, JSON or libpq, beside any others of one line.
_ONE_LINE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
_PIECES = st.text(st.sampled_from("@:/?#%&=;,'\"`\\ []{}()$+!*01a") | _ONE_LINE, max_size=12)
_PASSWORDS = st.tuples(_PIECES, _PIECES).map("hunter2".join)
_URLS = (
    "postgresql://role:{}@host:5432/db",
    "postgresql://role@server:{}@host/db",
    "cannot connect to postgres://role:{}@[::1]:5432/db today",
    "ws://127.0.0.1:40123/chat and redis://:{}@host:6379",
    "wss://u:{}@h/chat?x=1",
)


@given(st.sampled_from(_URLS), _PASSWORDS, st.booleans())
@example(_URLS[0], "1/hunter2", False)
@example(_URLS[0], "5432 hunter2", False)
@example(_URLS[0], "x@y hunter2", False)
@example(_URLS[0], "'hunter2'", False)
def test_no_password_of_a_url_survives(template, password, encoded):
    text = template.format(quote(password, safe="") if encoded else password)
    for wrapped in (text, repr(text), json.dumps({"dsn": text, "n": 1}), json.dumps(json.dumps([text]))):
        assert "hunter2" not in scrub(wrapped)


@given(_PASSWORDS)
def test_no_password_of_libpq_keywords_survives(password):
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    text = f"host=h password='{escaped}' user=u"
    assert "hunter2" not in scrub(text)


@given(_PASSWORDS)
def test_no_secret_of_a_json_member_survives(secret):
    for key in ("token", "api_key", "client_secret", "password"):
        text = json.dumps({key: secret, "n": 1})
        assert json.loads(scrub(text)) == {key: REDACTED, "n": 1}


@given(st.sampled_from(_URLS), _PASSWORDS)
def test_an_address_that_cannot_be_parsed_shows_no_password(template, password):
    assert "hunter2" not in scrub_address(template.format(password))


_FRAGMENTS = st.sampled_from(
    ["postgresql://", "x://", "u:", "@h/", "@", "token=", "password: ", "'", '"', "\\", " ", "\n", "&", "***"]
)


@given(st.lists(_FRAGMENTS | _PIECES, max_size=12).map("".join))
def test_scrubbing_twice_is_scrubbing_once(text):
    once = scrub(text)
    assert scrub(once) == once


@given(st.text())
def test_text_without_any_sign_of_a_secret_stays(text):
    text = text.replace(":", "").replace("=", "").replace("%", "").replace(" ", "")
    if "eyJ" not in text and "asic" not in text.lower() and "earer" not in text.lower():
        assert scrub(text) == text


ADDRESSES = [
    ("postgresql://u:hun/ter2@h/d", "postgresql://***@h/d"),
    ("postgresql://user@server:hunter2@h:x/d", "postgresql://***@h:x/d"),
    ("postgresql://u@h:abc/d?password=hun@ter2", "postgresql://***@h:***"),
    ("postgresql://u:hunter2", "postgresql://u:***"),
    ("u:hunter2@h/d", "***@h/d"),
    ("password=hunter2", "password=***"),
    ("ws://localhost:99999/", "ws://localhost:99999/"),
    ("tcp://h", "tcp://h"),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_an_address_shows_its_host_and_no_password(address, expected):
    assert scrub_address(address) == expected


def test_two_hosts_stay_two_in_stored_addresses():
    stored = [
        stored_address(f"postgresql://u:hunter2@{host}:5432/d?x=1") for host in ("10.0.0.1", "[2001:db8::2]")
    ]
    assert stored == ["postgresql://u:***@10.0.0.1:5432/d", "postgresql://u:***@[2001:db8::2]:5432/d"]
