"""One HTTP exchange with a Sentry server, whose answer is known and whose time is bounded.

The transport of sentry-sdk gives an event id and silence whether the server took the event or not, so the
envelope is made with its classes and posted here.
"""

from __future__ import annotations

import math
import socket
import ssl
from contextlib import closing, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import BadDsn, Dsn

from nightbench import __version__
from nightbench.alerts.answer import Answer, AnswerKind, answer_of
from nightbench.errors import ConfigurationError
from nightbench.files import reason
from nightbench.scrub import REDACTED, scrub

CLIENT: Final = f"nightbench/{__version__}"
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
_MOST_BYTES = 65_536  # of an answer; a server that says more has said enough


class Poster:
    """Posts envelopes to the project of one DSN.

    Args:
        dsn: ``https://KEY@HOST/PROJECT``.
        connect_seconds: That a connection and its TLS may take.
        answer_seconds: That the rest may take, however slowly the server speaks.

    Raises:
        ConfigurationError: when it is no DSN, without a piece of it.
    """

    def __init__(
        self, dsn: str, *, connect_seconds: float = CONNECT_SECONDS, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._dsn = _parsed(dsn)
        auth = self._dsn.to_auth(CLIENT)
        self._path = f"{self._dsn.path}api/{self._dsn.project_id}/envelope/"
        self._headers = {
            "Content-Type": "application/x-sentry-envelope",
            "User-Agent": CLIENT,
            "X-Sentry-Auth": auth.to_header(),
            "Connection": "close",
        }
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds

    @property
    def host(self) -> str:
        """Where it posts to, for people."""
        return self._dsn.netloc

    @property
    def project(self) -> str:
        """What rate limits are about: host, path and number of the project, without the key."""
        return f"{self._dsn.netloc}{self._dsn.path}{self._dsn.project_id}"

    def post(self, envelope: Envelope, *, within: float = math.inf) -> Answer:
        """Post an envelope as sent now; whatever the network or the server does is an answer too.

        Args:
            envelope: Its header keeps the event id and loses a DSN, if it has one.
            within: Seconds that it may take at most, when fewer than the limits of this poster.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        headers = {name: value for name, value in envelope.headers.items() if name != "dsn"}
        body = Envelope(headers={**headers, "sent_at": now}, items=envelope.items).serialize()
        categories = frozenset(item.data_category for item in envelope.items if item.type != "attachment")
        seconds = min(within, self._connect_seconds + self._answer_seconds)
        if seconds <= 0:
            return self._unreachable(TimeoutError())
        return self._exchanged(_Exchange(self._connection(seconds)), body, categories | {"default"}, seconds)

    def _connection(self, seconds: float) -> HTTPConnection:
        host, port = self._dsn.host, self._dsn.port
        timeout = min(seconds, self._connect_seconds)
        if self._dsn.scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=timeout)

    def _exchanged(
        self, exchange: _Exchange, body: bytes, categories: frozenset[str], seconds: float
    ) -> Answer:
        """Speak in a thread: a timeout of a socket starts anew with each byte, and looking up a name has none."""
        answered: SimpleQueue[Answer] = SimpleQueue()

        def speak() -> None:
            try:
                status, headers, said = exchange.speak(self._path, body, self._headers, self._answer_seconds)
            except (OSError, HTTPException, ValueError) as error:
                answered.put(self._unreachable(error))
            else:
                now = datetime.now(UTC)
                answered.put(answer_of(self.host, status, headers, said, categories=categories, now=now))

        Thread(target=speak, name="nightbench-post", daemon=True).start()
        try:
            return answered.get(timeout=seconds)
        except Empty:
            exchange.break_off()
            return self._unreachable(TimeoutError())

    def _unreachable(self, error: BaseException) -> Answer:
        return Answer(AnswerKind.BUSY, f"{self.host} cannot be reached: {_network_reason(error)}")


class _Exchange:
    """One request and its answer, which another thread can break off."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def speak(
        self, path: str, body: bytes, headers: dict[str, str], answer_seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; a body shorter than it was announced is no answer."""
        with closing(self._connection) as connection:
            connection.connect()
            connection.sock.settimeout(answer_seconds)
            with suppress(BrokenPipeError, ConnectionResetError):  # what is refused may be so before its end
                connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            said = answer.read(_MOST_BYTES)
            if answer.length and len(said) < _MOST_BYTES:
                raise IncompleteRead(said, answer.length)
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, said

    def break_off(self) -> None:
        """Make whoever waits for the server stop waiting."""
        if (sock := self._connection.sock) is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _parsed(dsn: str) -> Dsn:
    # sentry-sdk's own errors repeat pieces of what may be a key
    try:
        parts = urlsplit(dsn)
        parsed = Dsn(dsn)
        parsed.host.encode("idna")
    except (BadDsn, ValueError):
        raise ConfigurationError(
            "NIGHTBENCH_SENTRY_DSN", REDACTED, "not a Sentry DSN", "it looks like https://KEY@HOST/1"
        ) from None
    if parsed.port == 0 or any(each.isspace() for each in parts.netloc + parts.path):
        raise ConfigurationError(
            "NIGHTBENCH_SENTRY_DSN", REDACTED, "its host or port cannot be connected to", "https://KEY@HOST/1"
        )
    return parsed


_REASONS: Final = (
    (socket.gaierror, "its name is not known"),
    (ConnectionRefusedError, "the connection was refused"),
    (TimeoutError, "it did not answer in time"),
    (ssl.SSLError, "TLS failed: it does not speak it, or another version"),
    ((HTTPException, ConnectionError), "it closed the connection without a whole answer"),
)


def _network_reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS failed: {scrub(error.verify_message)}"
    known = (text for kind, text in _REASONS if isinstance(error, kind))
    return next(known, reason(error) if isinstance(error, OSError) else type(error).__name__)
