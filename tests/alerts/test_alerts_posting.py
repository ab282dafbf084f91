"""One exchange with a server: what its answer means, and that it is bounded in time."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sentry_sdk.envelope import Envelope
from sentry_stub import Says, serving

from nightbench.alerts.answer import LONGEST_SECONDS, AnswerKind, answer_of
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.kept import envelope_of
from nightbench.alerts.posting import Poster
from nightbench.errors import ConfigurationError

NOW = datetime(2026, 11, 27, 3, 15, tzinfo=UTC)
EVENT = {"event_id": "0" * 31 + "1", "message": {"formatted": "full websocket: failed"}}
ENVELOPE = envelope_of(EVENT)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, 60),
        (429, {"retry-after": "17"}, 17),
        (429, {"retry-after": "1.5"}, 1.5),
        (429, {"retry-after": "Fri, 27 Nov 2026 03:15:30 GMT"}, 30),
        (429, {"retry-after": "Fri, 27 Nov 2026 03:00:00 GMT"}, 0),
        (429, {"retry-after": "soon"}, 60),
        (429, {"retry-after": "nan"}, 60),
        (429, {"retry-after": "-5"}, 0),
        (429, {"retry-after": "999999999"}, LONGEST_SECONDS),
        (429, {"x-sentry-rate-limits": "60::key, 86400:transaction;span:organization"}, 60),
        (429, {"x-sentry-rate-limits": "90:error;default:project", "retry-after": "5"}, 90),
        (429, {"x-sentry-rate-limits": "90:transaction:project", "retry-after": "5"}, 5),
        (429, {"x-sentry-rate-limits": "90:attachment:project,x,:::,7:default"}, 7),
        (200, {"x-sentry-rate-limits": "86400:transaction;span:organization"}, None),
        (200, {"x-sentry-rate-limits": "30:error:project"}, 30),
        (200, {"retry-after": "30"}, None),
        (503, {"retry-after": "30"}, 30),
        (503, {}, None),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(status, headers, seconds) -> None:
    answer = answer_of("host", status, headers, b"", categories=["error", "default"], now=NOW)
    assert answer.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, AnswerKind.TAKEN),
        (202, AnswerKind.TAKEN),
        (302, AnswerKind.LATER),
        (400, AnswerKind.REFUSED),
        (401, AnswerKind.REFUSED),
        (403, AnswerKind.REFUSED),
        (404, AnswerKind.REFUSED),
        (413, AnswerKind.REFUSED),
        (429, AnswerKind.BUSY),
        (500, AnswerKind.LATER),
        (503, AnswerKind.LATER),
    ],
)
def test_what_becomes_of_it_by_status(status, kind) -> None:
    with serving(status) as stub:
        answer = Poster(stub.dsn).post(ENVELOPE)
    assert answer.kind is kind
    assert (str(status) in answer.why) == (kind is not AnswerKind.TAKEN)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Says(403, body=b'{"detail": "no such project"}'), "(HTTP 403): no such project"),
        (Says(413, body=b'{"message": "Max length"}'), "too large (HTTP 413): Max length"),
        (Says(400, {"X-Sentry-Error": "bad\x1b[31m envelope"}), "(HTTP 400): bad envelope"),
        (Says(400, body=b'{"detail": "postgresql://app:hunter2@db/app"}'), "app:***@db"),
        (Says(400, body=b"<html>"), "(HTTP 400)"),
        (Says(400, body=b"[" * 30_000), "(HTTP 400)"),
        (Says(400, body=b'{"detail": "' + b"a " * 30_000 + b'"}'), "a a a"),
    ],
)
def test_the_servers_own_words_are_told_short_and_without_secrets(says, words) -> None:
    with serving(says) as stub:
        why = Poster(stub.dsn).post(ENVELOPE).why
    assert words in why
    assert len(why) < 300
    assert "public" not in why
    assert "hunter2" not in why


KEY = "abcdefabcdefabcdefabcdefabcdefab"


@pytest.mark.parametrize(
    "says",
    [
        Says(403, body=b'{"detail": "no project for key %s"}' % KEY.encode()),
        Says(403, {"X-Sentry-Error": f"bad key {KEY.upper()}"}),
        Says(403, {"X-Sentry-Error": f"bad key {KEY[:16]}\x1b[31m{KEY[16:]}"}),
        Says(403, body=b'{"detail": "' + b"p " * 92 + KEY.encode() + b'"}'),
        Says(403, body=b'{"detail": "of hunter2"}'),
        Says(403, body=b'{"detail": "' + b" " * 776 + b'postgres://user:pw1sword2@host/db"}'),
    ],
)
def test_a_server_that_repeats_the_key_is_not_repeated(says) -> None:
    with serving(says) as stub:
        why = Poster(stub.dsn.replace("public", f"{KEY}:hunter2")).post(ENVELOPE).why
    assert "HTTP 403" in why
    assert not any(piece in why.lower() for piece in (KEY[:8], KEY[16:24], "hunter2", "pw1", "sword2"))


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", AnswerKind.BUSY, "without a whole answer"),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n", AnswerKind.BUSY, "without a whole answer"),
        (b"HTTP/1.1 200 OK", AnswerKind.BUSY, "without a whole answer"),
        (b"", AnswerKind.BUSY, "without a whole answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n \n<!doctype html><p>log in", AnswerKind.LATER, "no Sentry server answers"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", AnswerKind.TAKEN, ""),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}", AnswerKind.TAKEN, ""),
        (b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 403 F\r\n\r\n", AnswerKind.REFUSED, "403"),
        (b"HTTP/1.1 103 Early\r\n\r\n", AnswerKind.BUSY, "without a whole answer"),
    ],
)
def test_only_a_whole_answer_of_a_sentry_server_says_that_it_is_taken(said, kind, why) -> None:
    with serving(Says(body=said, how="raw")) as stub:
        answer = Poster(stub.dsn).post(ENVELOPE)
    assert answer.kind is kind
    assert why in answer.why
    assert "cannot be reached" not in answer.why


def test_an_envelope_is_posted_whole_as_sent_now_and_without_a_dsn() -> None:
    envelope = envelope_of(EVENT, [Attachment("chart.png", "image/png", b"\x89PNG\n\x00\n")])
    envelope.headers["dsn"] = "http://public@127.0.0.1/7"
    with serving(200) as stub:
        Poster(stub.dsn).post(envelope)
    (got,) = stub.envelopes
    assert got.headers["event_id"] == EVENT["event_id"]
    assert "dsn" not in got.headers
    sent = datetime.fromisoformat(got.headers["sent_at"])
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 300
    assert got.get_event() == EVENT
    assert got.items[1].get_bytes() == b"\x89PNG\n\x00\n"
    assert got.items[1].headers["filename"] == "chart.png"
    assert stub.paths == ["/api/7/envelope/"]
    assert "sentry_key=public" in stub.auth[0]


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_server_that_never_ends_its_answer_is_left(how) -> None:
    with serving(Says(200, how=how)) as stub:
        answer = Poster(stub.dsn, answer_seconds=30).post(ENVELOPE, within=0.3)
        assert len(stub.envelopes) == 1
    assert answer.kind is AnswerKind.BUSY
    assert "the time was over before" in answer.why


def test_a_server_that_is_slow_was_reached() -> None:
    with serving(Says(how="hang")) as stub:
        answer = Poster(stub.dsn, connect_seconds=5, answer_seconds=0.2).post(ENVELOPE)
    assert answer.why.endswith(" gave no answer: it did not answer in time")


def test_a_server_that_closes_within_its_answer_did_not_take_it() -> None:
    with serving(Says(200, body=b"{", how="cut")) as stub:
        answer = Poster(stub.dsn).post(ENVELOPE)
    assert answer.kind is AnswerKind.BUSY
    assert "without a whole answer" in answer.why


def test_no_time_left_is_no_post() -> None:
    with serving(200) as stub:
        answer = Poster(stub.dsn).post(ENVELOPE, within=0)
        assert answer.kind is AnswerKind.BUSY
        assert "cannot be reached" not in answer.why
        assert stub.envelopes == []


def test_a_name_that_nobody_has() -> None:
    answer = Poster("https://public@sentry.invalid/7").post(ENVELOPE)
    assert answer.kind is AnswerKind.BUSY
    assert answer.why == "sentry.invalid cannot be reached: its name is not known"


@contextmanager
def self_signed(folder: Path) -> Iterator[str]:
    """A server under https whose certificate nobody vouches for; gives its DSN."""
    key, certificate = str(folder / "key.pem"), str(folder / "cert.pem")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    subprocess.run([*made, "-subj", "/CN=localhost", "-days", "2"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://public@localhost:{server.server_port}/7"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with self_signed(tmp_path) as dsn:
        answer = Poster(dsn).post(ENVELOPE)
    assert answer.kind is AnswerKind.BUSY
    assert "TLS failed: self-signed certificate" in answer.why


def test_a_server_without_tls_under_https() -> None:
    with serving(200) as stub:
        answer = Poster(stub.dsn.replace("http:", "https:")).post(ENVELOPE)
    assert answer.kind is AnswerKind.BUSY
    assert "TLS failed" in answer.why


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "hunter2",
        "http://127.0.0.1/7",
        "ftp://hunter2@host/1",
        "https://key@host/hunter2",
        "http://key@host:hunter2/1",
        "http://key@host:0/1",
        "http://key@host name/1",
        "http://[/1",
        "https://hunter2@/1",
        "https://hunter2é€@host/1",
        "https://key@host/hunter2ä/1",
        "https://key@host/hunter2\x7fb/1",
        "https://key:hunter2\x7f@host/1",
    ],
)
def test_a_malformed_dsn_is_a_configuration_error_that_repeats_no_piece_of_it(dsn: str) -> None:
    with pytest.raises(ConfigurationError, match="NIGHTBENCH_SENTRY_DSN") as caught:
        Poster(dsn)
    assert "hunter2" not in str(caught.value)


def test_limits_of_check_ins_are_not_those_of_alerts() -> None:
    envelope = Envelope(headers={"event_id": EVENT["event_id"]})
    envelope.add_checkin({"check_in_id": EVENT["event_id"]})
    limits = {"X-Sentry-Rate-Limits": "30:error:project, 50:monitor:project"}
    with serving(Says(200, limits)) as stub:
        assert Poster(stub.dsn).post(envelope).retry_after == 50
