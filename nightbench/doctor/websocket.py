"""Whether the WebSocket lets a user in: one handshake with the token, closed again at once."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from nightbench.addresses import port_of
from nightbench.doctor.finding import Finding, Topic
from nightbench.plan import WebSocketPlan
from nightbench.scrub import stored_address
from nightbench.settings import Settings
from nightbench.websocket.client import Connection
from nightbench.websocket.endpoint import Endpoint
from nightbench.websocket.error_classes import ConnectionFailedError
from nightbench.websocket.provisions import headers_of, load_provisions
from nightbench.websocket.tls import tls_context

WEBSOCKET = Topic("subject", "WebSocket")
CERTIFICATE = Topic("subject", "TLS certificate")
SOON_DAYS = 14
_WITHIN = 4.0  # seconds; below those of a check, which could not say what it had waited for
_DAY = 86_400

_ADDRESS = "start the backend, or mend NIGHTBENCH_WEBSOCKET_URL"
_NO_ENTRY = "set NIGHTBENCH_TOKEN to a token that is valid"
_WAYS_OUT = {
    "handshake_401": _NO_ENTRY,
    "handshake_403": f"{_NO_ENTRY}, or mend the path of NIGHTBENCH_WEBSOCKET_URL",
    "handshake_404": "mend the path of NIGHTBENCH_WEBSOCKET_URL",
    "handshake_subprotocol": "mend websocket.subprotocols of the plan",
    "tls_certificate_expired": "renew the server's certificate",
    "tls_untrusted": "name the authority in websocket.tls.ca_file, or use a certificate that is known",
    "tls_wrong_host": "use the name that the certificate is for, or set websocket.tls.server_name",
}


@dataclass(frozen=True)
class Opening:
    """What came of one handshake.

    Attributes:
        error: Its class, as the ledger has it; None when it was answered as it should be.
        seconds: It took.
        has_token: Whether a token went along.
    """

    error: str | None
    seconds: float
    has_token: bool


def judge_opening(address: str, opening: Opening) -> Finding:
    """What a handshake says of the night."""
    token = "with its token" if opening.has_token else "without a token"
    if opening.error is None:
        took = f"{opening.seconds * 1000:.0f} ms"
        return WEBSOCKET.ok(f"{address} shook hands {token} in {took}, and was left again")
    status = opening.error.removeprefix("handshake_")
    if status.isdigit():
        why = f"{address} refused a handshake {token} (HTTP {status})"
    else:
        why = f"no handshake ({opening.error.replace('_', ' ')}) with {address}, {token}"
    return WEBSOCKET.failure(why, _WAYS_OUT.get(opening.error, _ADDRESS))


def judge_certificate(address: str, seconds_left: float) -> Finding:
    """How long a certificate still holds."""
    days = seconds_left / _DAY
    mend = "renew the server's certificate"
    if days <= 0:
        return CERTIFICATE.failure(f"that of {address} has expired", mend)
    if days < SOON_DAYS:
        return CERTIFICATE.warning(f"that of {address} expires in {days:.1f} days", mend)
    return CERTIFICATE.ok(f"that of {address} is valid for {days:.0f} more days")


def websocket_findings(settings: Settings, plan: WebSocketPlan) -> Iterator[Finding]:
    """Shake hands once.

    Raises:
        ConfigurationError: when the plan's token, headers or TLS options cannot be used.
    """
    url = settings.websocket_url
    assert url is not None
    resolve(urlsplit(url).hostname)
    yield judge_opening(stored_address(url), asyncio.run(_opened(url, settings, plan)))


def certificate_findings(settings: Settings, plan: WebSocketPlan) -> Iterator[Finding]:
    """Look at the certificate of a wss:// address; of one that gives none to look at, the handshake tells."""
    url = settings.websocket_url
    assert url is not None
    if not plan.tls.verify:
        yield CERTIFICATE.ok("not looked at, since websocket.tls.verify is false")
        return
    if (expires := _expires(url, plan)) is not None:
        yield judge_certificate(stored_address(url), expires - time.time())


def resolve(host: str | None) -> None:
    """Look up a name where only this thread waits: an event loop, or libpq, would hold up more than itself."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return  # told by whoever connects


async def _opened(url: str, settings: Settings, plan: WebSocketPlan) -> Opening:
    token = settings.token.get_secret_value() if settings.token else None
    one = plan.model_copy(update={"users": 1, "shards": 1})
    async with asyncio.timeout(_WITHIN):  # the command of the tokens may take longer
        provisions = await load_provisions(one, token)
    endpoint = Endpoint.of(url, tls=plan.tls, compression=plan.compression)
    headers = headers_of(one, provisions, 0)
    connection = Connection(endpoint, headers, lambda _message, _binary: None, lambda _error: None)
    has_token = bool(provisions.tokens)
    begin = time.perf_counter()
    try:
        await connection.open(within=_WITHIN)
    except ConnectionFailedError as error:
        return Opening(error.error, time.perf_counter() - begin, has_token)
    took = time.perf_counter() - begin
    await connection.close()
    return Opening(None, took, has_token)


def _expires(url: str, plan: WebSocketPlan) -> float | None:
    """When its certificate expires, in seconds since 1970."""
    parts = urlsplit(url)
    context = tls_context(plan.tls)
    try:
        with (
            socket.create_connection((parts.hostname, port_of(parts)), timeout=_WITHIN) as plain,
            context.wrap_socket(plain, server_hostname=plan.tls.server_name or parts.hostname) as wrapped,
        ):
            told = wrapped.getpeercert() or {}
    except (OSError, ssl.SSLError, UnicodeError):
        return None
    until = told.get("notAfter")
    return ssl.cert_time_to_seconds(until) if isinstance(until, str) else None
