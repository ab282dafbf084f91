"""One HTTP exchange with a Sentry server, whose answer is known and whose time is bounded.

The transport of sentry-sdk gives an event id and silence whether the server took the event or not, so the
envelope is made with its classes and posted here.
"""

from __future__ import annotations

import math
import socket
import ssl
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import BadDsn, Dsn

from nightbench import __version__
from nightbench.addresses import SENTRY_DSN_FORM
from nightbench.alerts.answer import Answer, AnswerKind, answer_of
from nightbench.alerts.exchange import Exchange, OutOfTimeError, Said, in_time
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
        dsn: ``https://<key>@host/project``.
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
            return Answer(AnswerKind.BUSY, f"the time was over before {self.host} was asked")
        return self._exchanged(body, categories | {"default"}, seconds)

    def _exchanged(self, body: bytes, categories: frozenset[str], seconds: float) -> Answer:
        exchange = Exchange(
            self._dsn.scheme,
            self._dsn.host,
            self._dsn.port,
            connect_seconds=min(seconds, self._connect_seconds),
            most_bytes=_MOST_BYTES,
        )
        speak = partial(
            exchange.speak, "POST", self._path, body, self._headers, pause_seconds=self._answer_seconds
        )
        try:
            said = in_time(seconds, speak, exchange.break_off)
        except OutOfTimeError as error:
            if exchange.reached and seconds < self._connect_seconds + self._answer_seconds:
                return Answer(AnswerKind.BUSY, f"the time was over before {self.host} had answered")
            return self._unanswered(exchange, error)
        # whatever a server does, its alert waits
        except Exception as error:  # noqa: BLE001
            return self._unanswered(exchange, error)
        return self._answer(said, categories)

    def _answer(self, said: Said, categories: frozenset[str]) -> Answer:
        secrets = filter(None, (self._dsn.public_key, self._dsn.secret_key))
        now = datetime.now(UTC)
        return answer_of(
            self.host,
            said.status,
            said.headers,
            said.body,
            categories=categories,
            now=now,
            secrets=secrets,
        )

    def _unanswered(self, exchange: Exchange, error: BaseException) -> Answer:
        problem = "gave no answer" if exchange.reached else "cannot be reached"
        return Answer(AnswerKind.BUSY, f"{self.host} {problem}: {_network_reason(error)}")


def _parsed(dsn: str) -> Dsn:
    # sentry-sdk's own errors repeat pieces of what may be a key
    try:
        parts = urlsplit(dsn)
        parsed = Dsn(dsn)
        parsed.host.encode("idna")
        _check_sendable(f"{parsed.public_key}{parsed.secret_key}{parsed.path}", parsed.host)
    except (BadDsn, ValueError):
        raise ConfigurationError(
            "NIGHTBENCH_SENTRY_DSN", REDACTED, "not a Sentry DSN", f"it looks like {SENTRY_DSN_FORM}"
        ) from None
    if parsed.port == 0 or any(each.isspace() for each in parts.netloc + parts.path):
        raise ConfigurationError(
            "NIGHTBENCH_SENTRY_DSN",
            REDACTED,
            "its host or port cannot be connected to",
            f"a DSN looks like {SENTRY_DSN_FORM}",
        )
    return parsed


def _check_sendable(ascii_only: str, host: str) -> None:
    # neither HTTP's head nor its request line takes more
    if not ascii_only.isascii() or not f"{ascii_only}{host}".replace(" ", "").isprintable():
        raise BadDsn


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
