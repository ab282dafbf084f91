"""A real HTTP server that answers as it is told: for what no Sentry does on command."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from http_served import http_served
from sentry_sdk.envelope import Envelope


@dataclass(frozen=True)
class Says:
    """One answer.

    Attributes:
        status: Of HTTP.
        headers: Beside the length of the body.
        body: Of the answer.
        how: ``whole``; ``hang``: never anything; ``drip``: a header line now and then, for ever; ``cut``: it closes
            before the body ends; ``raw``: the body stands for all that it says.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: Literal["whole", "hang", "drip", "cut", "raw"] = "whole"


class Stub:
    """Gives every POST the next of its answers, the last one for ever, and keeps what it was sent."""

    def __init__(self, *answers: int | Says) -> None:
        self.answers = [Says(each) if isinstance(each, int) else each for each in answers]
        self.envelopes: list[Envelope] = []
        self.paths: list[str] = []
        self.auth: list[str] = []
        self.asked = threading.Event()
        self.release = threading.Event()
        self.dsn = ""

    @property
    def ids(self) -> list[str]:
        """Of the events that it was sent, in the order of arrival."""
        return [envelope.headers["event_id"] for envelope in self.envelopes]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it was sent, in the order of arrival."""
        return [dict(envelope.get_event() or {}) for envelope in self.envelopes]


@contextmanager
def serving(*answers: int | Says) -> Iterator[Stub]:
    """A stub that is up."""
    stub = Stub(*answers)
    with http_served(type("Handler", (_Handler,), {"stub": stub})) as port:
        stub.dsn = f"http://public@127.0.0.1:{port}/7"
        try:
            yield stub
        finally:
            stub.release.set()


class _Handler(BaseHTTPRequestHandler):
    stub: Stub

    def do_POST(self) -> None:
        stub = self.stub
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stub.envelopes.append(Envelope.deserialize(body))
        stub.paths.append(self.path)
        stub.auth.append(self.headers["X-Sentry-Auth"])
        says = stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0]
        stub.asked.set()
        if says.how == "hang":
            stub.release.wait(30)
            return
        if says.how == "raw":
            self.wfile.write(says.body)
            return
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        if says.how == "drip":
            self._drip()
            return
        self.send_header("Content-Length", str(len(says.body) + (10 if says.how == "cut" else 0)))
        self.end_headers()
        self.wfile.write(says.body)

    def _drip(self) -> None:
        self.flush_headers()
        try:
            while not self.stub.release.wait(0.02):
                self.wfile.write(b"X-Slow: 1\r\n")
        except OSError:
            pass  # whoever asked has gone
