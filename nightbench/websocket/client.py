"""The thin socket shell: websockets' sans-I/O protocol on a bare asyncio transport.

The coroutine client of the same library costs about 1.5 times the CPU; a load generator pays that for
every message of every user.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import OP_BINARY, OP_CLOSE, OP_CONT, OP_TEXT, Frame
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

MAX_MESSAGE_BYTES = 4 * 2**20
CLOSE_SECONDS = 1.0
"""How long the other side may take to answer a close frame."""


class ConnectionFailedError(Exception):
    """A connection that could not be opened; `error` is its class in the ledger."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Endpoint:
    """Where to connect and what to say of oneself: parsed once, used by every connection."""

    url: str = field(repr=False)  # may carry a token
    token: str | None = field(repr=False)
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, token: str | None) -> Endpoint:
        """An endpoint with one TLS context shared by all its connections."""
        secure = parse_uri(url).secure
        return cls(url, token, ssl.create_default_context() if secure else None)


class Connection(asyncio.Protocol):
    """One WebSocket connection.

    Args:
        endpoint: Where to.
        on_message: Called with each text (or binary) message as bytes.
        on_lost: Called once when an open connection is gone, with the error class
            (``close_1011``, ``connection_reset``…); not after `close`.
    """

    def __init__(
        self, endpoint: Endpoint, on_message: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        self._uri = parse_uri(endpoint.url)
        self._endpoint = endpoint
        self._on_message = on_message
        self._on_lost = on_lost
        self._protocol = ClientProtocol(self._uri, max_size=MAX_MESSAGE_BYTES)
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] = []
        self._closing = False
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()

    async def open(self, *, within: float) -> None:
        """Connect and shake hands within so many seconds.

        Raises:
            ConnectionFailedError: with the class of what went wrong.
        """
        try:
            async with asyncio.timeout(within):
                await self._connect()
        except BaseException as error:
            self._abort()
            if isinstance(error, Exception):
                raise ConnectionFailedError(_connect_error(error)) from error
            raise

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(
            lambda: self,
            self._uri.host,
            self._uri.port,
            ssl=self._endpoint.tls,
            server_hostname=self._uri.host if self._endpoint.tls else None,
        )
        request = self._protocol.connect()
        if self._endpoint.token is not None:
            request.headers["Authorization"] = f"Bearer {self._endpoint.token}"
        self._protocol.send_request(request)
        self._flush()
        await self._opened

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._protocol.state is OPEN and not self._closing

    def send(self, text: str) -> None:
        """Put a message on the wire; only while `is_open`."""
        self._protocol.send_text(text.encode())
        self._flush()

    async def close(self) -> None:
        """Close with code 1000, wait a moment for the answer, then drop the socket."""
        self._closing = True
        if self._protocol.state is OPEN:
            self._protocol.send_close(1000)
            self._flush()
            await asyncio.wait([self._gone], timeout=CLOSE_SECONDS)
        self._abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected (asyncio)."""
        self._transport = transport  # type: ignore[assignment]  # create_connection makes a Transport

    def data_received(self, data: bytes) -> None:
        """Bytes arrived (asyncio)."""
        self._protocol.receive_data(data)
        self._flush()
        failure = self._protocol.handshake_exc
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._on_frame(event)
            elif isinstance(event, Response) and failure is None and not self._opened.done():
                self._opened.set_result(None)  # a close frame right behind it is a loss, no failed handshake
        if failure is not None and not self._opened.done():
            self._opened.set_exception(failure)
        if self._protocol.parser_exc is not None:
            self._lose(
                f"close_{self._protocol.close_sent.code}" if self._protocol.close_sent else "protocol_error"
            )

    def eof_received(self) -> bool:
        """The other side has finished sending (asyncio)."""
        self._protocol.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone (asyncio)."""
        if not self._gone.done():
            self._gone.set_result(None)
        if not self._opened.done():
            self._opened.set_exception(exc or EOFError("closed during the handshake"))
        if isinstance(exc, ConnectionResetError):
            self._lose("connection_reset")
        else:
            self._lose("close_1006")

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode is OP_TEXT or frame.opcode is OP_BINARY or frame.opcode is OP_CONT:
            if frame.fin and not self._fragments:
                self._on_message(bytes(frame.data))
                return
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._on_message(message)
        elif frame.opcode is OP_CLOSE:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else 1005
            self._lose(f"close_{code}")

    def _lose(self, error: str) -> None:
        if self._closing or not self._opened.done() or self._opened.exception() is not None:
            return
        self._closing = True
        self._on_lost(error)
        if self._transport is not None:
            self._transport.close()  # not abort: our answer to a close frame may still be on its way

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()

    def _abort(self) -> None:
        self._closing = True  # whatever still arrives, nobody waits for it
        if self._opened.done() and not self._opened.cancelled():
            self._opened.exception()  # looked at, so that asyncio does not warn
        if self._transport is not None:
            self._transport.abort()


_CLASS_OF_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "connect_timeout"),
    (InvalidHandshake, "handshake_invalid"),
    (ssl.SSLError, "tls_error"),
    (ConnectionRefusedError, "connection_refused"),
    (EOFError, "handshake_closed"),
    (ConnectionResetError, "handshake_reset"),
    (BrokenPipeError, "handshake_reset"),
)


def _connect_error(error: Exception) -> str:
    """The class of a failed connection, as it stands in the ledger."""
    if isinstance(error, InvalidStatus):
        return f"handshake_{error.response.status_code}"
    for kind, name in _CLASS_OF_ERROR:
        if isinstance(error, kind):
            return name
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return f"connect_{errno.errorcode[error.errno].lower()}"
    return f"connect_{type(error).__name__.lower()}"
