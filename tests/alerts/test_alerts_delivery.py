"""The outbox and its delivery, against a real HTTP server that plays Sentry."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from builders import invalidated, verdict_of, websocket_measurement, with_metric
from sentry_sdk.envelope import Envelope
from waiting import until

from nightbench.alerts.alert import alerts_of
from nightbench.alerts.delivery import MAX_FAILURES, DeliveryReport, deliver
from nightbench.alerts.outbox import Outbox
from nightbench.errors import ConfigurationError, MeasurementError

MEASUREMENT = with_metric(websocket_measurement(), "message.response_time.p95", 5000)
(ALERT,) = alerts_of([verdict_of(MEASUREMENT)])


class Sentry:
    """Answers every POST with the next of its statuses (the last one for ever), or not at all."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.paths: list[str] = []
        self.auth: list[str] = []
        self.events: list[dict] = []
        self.sent_at: list[str] = []
        self.release = threading.Event()
        self.dsn = ""

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def serving(sentry: Sentry) -> Iterator[Sentry]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            envelope = Envelope.deserialize(body)
            sentry.paths.append(self.path)
            sentry.auth.append(self.headers["X-Sentry-Auth"])
            sentry.events.append(envelope.get_event())
            sentry.sent_at.append(envelope.headers["sent_at"])
            status = sentry.status()
            if status == 0:
                sentry.release.wait(30)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sentry.dsn = f"http://public@127.0.0.1:{server.server_port}/7"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sentry
    finally:
        sentry.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def put(outbox: Outbox, amount: int = 1) -> list[str]:
    return [json.loads(outbox.put(ALERT, MEASUREMENT).read_text())["event_id"] for _ in range(amount)]


def test_an_event_is_complete(outbox: Outbox) -> None:
    event = json.loads(outbox.put(ALERT, MEASUREMENT).read_text())
    assert re.fullmatch(r"[0-9a-f]{32}", event["event_id"])
    assert event["level"] == "error"
    assert event["fingerprint"] == list(ALERT.fingerprint)
    assert event["message"] == {"formatted": ALERT.title}
    assert event["environment"] == "local"
    assert event["tags"]["run_id"] == MEASUREMENT.run_id
    assert event["contexts"]["benchmark"]["value"] == 5000
    assert event["release"].startswith("nightbench@")


def test_an_event_holds_no_secret(outbox: Outbox) -> None:
    measurement = invalidated(MEASUREMENT, "postgresql://app:hunter2@host/db refused token=abcdef12345")
    (alert,) = alerts_of([verdict_of(measurement)])
    text = outbox.put(alert, measurement).read_text()
    assert "hunter2" not in text
    assert "abcdef12345" not in text


def test_what_the_server_took_is_gone(outbox: Outbox) -> None:
    ids = put(outbox, 2)
    with serving(Sentry(200)) as sentry:
        assert deliver(outbox, sentry.dsn) == DeliveryReport(delivered=2)
    assert outbox.pending() == []
    assert [event["event_id"] for event in sentry.events] == ids
    assert sentry.paths == ["/api/7/envelope/"] * 2
    assert "sentry_key=public" in sentry.auth[0]
    assert all(instant.endswith("Z") for instant in sentry.sent_at)


@pytest.mark.parametrize(("status", "posted"), [(429, 1), (500, 3), (503, 3), (302, 3)])
def test_what_the_server_could_not_take_stays(outbox: Outbox, status: int, posted: int) -> None:
    put(outbox, 5)
    with serving(Sentry(status)) as sentry:
        report = deliver(outbox, sentry.dsn)
    assert (report.delivered, report.undelivered, report.rejected) == (0, 5, 0)
    assert str(status) in report.reasons[0]
    assert len(sentry.events) == posted <= MAX_FAILURES
    assert len(outbox.pending()) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_what_the_server_refuses_is_set_aside(outbox: Outbox, status: int) -> None:
    put(outbox, 2)
    with serving(Sentry(status)) as sentry:
        report = deliver(outbox, sentry.dsn)
    assert (report.delivered, report.undelivered, report.rejected) == (0, 0, 2)
    assert str(status) in report.reasons[0]
    assert outbox.pending() == []
    assert len(list(outbox.rejected.iterdir())) == 2


def test_one_event_that_fails_does_not_hold_up_the_others(outbox: Outbox) -> None:
    ids = put(outbox, 3)
    with serving(Sentry(500, 200)) as sentry:
        report = deliver(outbox, sentry.dsn)
    assert (report.delivered, report.undelivered) == (2, 1)
    assert ids[0] in outbox.pending()[0].name


def test_the_next_run_posts_the_same_event_again(outbox: Outbox) -> None:
    put(outbox)
    with serving(Sentry(500, 200)) as sentry:
        deliver(outbox, sentry.dsn)
        assert deliver(outbox, sentry.dsn).delivered == 1
    first, second = sentry.events
    assert first == second


def test_a_server_that_hangs_is_left_after_the_time_limit(outbox: Outbox) -> None:
    put(outbox, 5)
    with serving(Sentry(0)) as sentry:
        report = deliver(outbox, sentry.dsn, answer_seconds=1.0)
        until(lambda: sentry.events)
    assert (report.undelivered, len(sentry.events)) == (5, 1)
    assert "did not answer in time" in report.reasons[0]


def test_a_refused_connection_keeps_everything(outbox: Outbox) -> None:
    put(outbox, 2)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        # bound and not listening: nobody else can take the port
        report = deliver(outbox, f"http://public@127.0.0.1:{held.getsockname()[1]}/7")
    assert report.undelivered == 2
    assert "refused" in report.reasons[0]


def test_a_server_that_closes_the_connection_keeps_everything(outbox: Outbox) -> None:
    put(outbox)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def close_at_once() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=close_at_once)
        thread.start()
        report = deliver(outbox, f"http://public@127.0.0.1:{server.getsockname()[1]}/7")
        thread.join()
    assert report.undelivered == 1
    assert "cannot be reached" in report.reasons[0]


def test_without_a_dsn_everything_is_kept(outbox: Outbox) -> None:
    put(outbox)
    report = deliver(outbox, None)
    assert (report.undelivered, report.reasons) == (1, ("no Sentry DSN is set",))
    assert len(outbox.pending()) == 1


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "nonsense",
        "http://127.0.0.1/7",
        "ftp://key@host/1",
        "https://key@host/project",
        "http://key@host:x/1",
        "http://[/1",
    ],
)
def test_a_malformed_dsn_loses_nothing(outbox: Outbox, dsn: str) -> None:
    put(outbox)
    report = deliver(outbox, dsn)
    assert (report.undelivered, len(outbox.pending())) == (1, 1)
    assert "NIGHTBENCH_SENTRY_DSN" in report.reasons[0]


def test_nothing_to_say_needs_no_server(outbox: Outbox) -> None:
    assert deliver(outbox, "http://public@127.0.0.1:9/7") == DeliveryReport()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_file_that_is_no_event_is_set_aside(outbox: Outbox, content: bytes) -> None:
    put(outbox)
    (outbox.folder / "00000000-odd.json").write_bytes(content)
    with serving(Sentry(200)) as sentry:
        report = deliver(outbox, sentry.dsn)
    assert (report.delivered, report.rejected) == (1, 1)


def test_half_written_files_are_not_pending(outbox: Outbox) -> None:
    put(outbox)
    (outbox.folder / ".x.json.1-2.tmp").write_text("{")
    (outbox.folder / ".x.json").write_text("{")
    assert len(outbox.pending()) == 1


def test_an_outbox_that_cannot_be_written_names_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file")
    with pytest.raises(ConfigurationError, match="outbox"):
        outbox.check_writable()
    with pytest.raises(MeasurementError, match=re.escape(str(tmp_path / "file"))):
        outbox.put(ALERT, MEASUREMENT)
