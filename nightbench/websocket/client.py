"""The thin socket shell: one WebSocket connection on a bare asyncio transport.

The protocol is sans-I/O beside it: `nightbench.websocket.handshake` opens, `nightbench.websocket.frames` reads
and writes. What only the handshake needs is dropped after it, so that an idle user costs little memory. What comes
faster than it can be read waits in the socket, and connections take turns (see `nightbench.websocket.backlog`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from nightbench.websocket.deflate import Deflate
from nightbench.websocket.endpoint import Endpoint
from nightbench.websocket.error_classes import ConnectionFailedError, loss_class, opening_class
from nightbench.websocket.frames import BINARY, CLOSE, PONG, TEXT, FrameReader, masked_frame
from nightbench.websocket.handshake import Handshake, HeaderItems

__all__ = ["CLOSE_SECONDS", "Connection", "ConnectionFailedError", "Endpoint"]

CLOSE_SECONDS = 1.0
"""How long the other side may take to answer a close frame, and the last bytes to leave after a loss."""

_TICK = 0.001
"""Seconds. An event loop counts whole milliseconds: what it times may end so much early."""

_GOODBYE = (1000).to_bytes(2, "big")

_clock = time.perf_counter_ns


class Connection(asyncio.Protocol):
    """One WebSocket connection.

    Args:
        endpoint: Where to.
        headers: Of this user, beside those of the handshake.
        on_message: Called with each message and whether it is binary; text is not checked to be UTF-8.
        on_lost: Called once when an open connection is gone, with the error class (``close_1011``,
            ``connection_reset``…); ``close_`` and a code is also a violation of the protocol, with the code that
            we closed it with (1002, 1007, 1009). Neither is called before `open` has returned or after `close`.

    Attributes:
        is_open: Whether messages can be sent.
        is_congested: Whether the other side reads more slowly than it is sent to: what is sent piles up here.
        tcp_at: When TCP was connected, monotonic ns; as the following 0 before.
        tls_at: When TLS was; the same as `tcp_at` without TLS.
        opened_at: When the handshake was answered.
    """

    __slots__ = (
        "_deflate", "_early", "_endpoint", "_handshake", "_headers", "_is_behind", "_loss", "_on_lost",
        "_on_message", "_reader", "_timer", "_transport", "_waiter", "is_congested", "is_open", "opened_at",
        "tcp_at", "tls_at",
    )  # fmt: skip

    def __init__(
        self,
        endpoint: Endpoint,
        headers: HeaderItems,
        on_message: Callable[[bytes, bool], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._on_message = on_message
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._handshake: Handshake | None = None
        self._reader: FrameReader | None = None  # from when `open` returns, as long as messages are wanted
        self._deflate: Deflate | None = None
        self._early = b""  # frames that came before that
        self._is_behind = False  # whether what came waits for its turn to be read
        self._loss: str | None = None  # the class of a loss that is told when it has been
        self._waiter: asyncio.Future[str | None] | None = None  # of `open` or of `close`
        self._timer: asyncio.TimerHandle | None = None
        self.is_open = self.is_congested = False
        self.tcp_at = self.tls_at = self.opened_at = 0

    async def open(self, *, within: float) -> None:
        """Connect and shake hands within so many seconds; once.

        Raises:
            ConnectionFailedError: with the class of what went wrong.
        """
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._handshake = handshake = Handshake(self._endpoint.offer)
        try:
            async with asyncio.timeout(within + _TICK):
                await self._connect(loop, self._waiter, within)
        except BaseException as error:
            self._abort()
            if isinstance(error, Exception) and not isinstance(error, ConnectionFailedError):
                raise ConnectionFailedError(opening_class(error)) from error
            raise
        finally:
            self._handshake, self._waiter, self._headers = None, None, ()
        self._deflate = handshake.deflate
        self._reader = FrameReader(handshake.deflate, behind=self._early)
        self._early = b""
        self.is_open = True
        if self._reader.is_behind:
            self._fall_behind()

    async def _connect(
        self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[str | None], within: float
    ) -> None:
        endpoint = self._endpoint
        await endpoint.addresses.connect(lambda: self, within=within)
        transport = self._transport
        # one that has been reset meanwhile shakes no hands: uvloop would write to a socket that is closed
        if endpoint.tls is not None and transport is not None and not transport.is_closing():
            self._transport = await loop.start_tls(
                transport,
                self,
                endpoint.tls,
                server_hostname=endpoint.server_name,
                ssl_handshake_timeout=within + 1,  # later than the caller's own time-out
            )
            self.tls_at = _clock()
            self._request()
        failure = await opened
        if failure is not None:
            raise ConnectionFailedError(failure)

    def _request(self) -> None:
        assert self._transport is not None
        assert self._handshake is not None
        self._transport.write(self._handshake.request(self._headers))

    def send(self, payload: bytes, binary: bool = False) -> None:
        """Put a message on the wire; only while `is_open`. Where the loss is about to be told, it is lost as well."""
        if self._transport is None:
            return
        first = BINARY if binary else TEXT
        if self._deflate is not None:
            first, payload = self._deflate.encode(payload, binary=binary)
        self._transport.write(masked_frame(first, payload, next(self._endpoint.masking_keys)))

    async def close(self) -> None:
        """Close with code 1000, wait a moment for the answer, then drop the socket."""
        was_open, self.is_open = self.is_open, False
        self._on_message, self._on_lost = _ignore, _ignore
        self._read_no_more()
        try:
            if was_open and self._transport is not None:
                self._waiter = asyncio.get_running_loop().create_future()
                self._say_goodbye(_GOODBYE)
                await self._waiter
        finally:
            self._abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is connected (asyncio)."""
        self._transport = transport  # type: ignore[assignment]  # create_connection makes a Transport
        self.tcp_at = self.tls_at = _clock()
        if self._endpoint.tls is None:
            self._request()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived (asyncio)."""
        reader = self._reader
        if reader is None:
            self._receive_early(data)
            return
        for payload, binary in reader.feed(data):
            self._on_message(payload, binary)
        if reader.has_news:
            self._attend_to(reader)

    def eof_received(self) -> None:
        """The other side has finished sending, so that nothing is left to wait for (asyncio)."""
        self._socket_ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone (asyncio)."""
        self._transport = None
        self._socket_ended(exc)
        if self._timer is not None:
            self._timer.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def pause_writing(self) -> None:
        """Too much waits to be sent (asyncio)."""
        self.is_congested = True

    def resume_writing(self) -> None:
        """What waited has been sent (asyncio)."""
        self.is_congested = False

    def _receive_early(self, data: bytes) -> None:
        """The response to the handshake, and what may come before `open` has returned; or what nobody wants."""
        if self._waiter is None or self._handshake is None:
            return
        if self._waiter.done():
            self._hold(data)
            return
        try:
            rest = self._handshake.feed(data)
        except ConnectionFailedError as error:
            self._waiter.set_result(error.error)
            return
        if rest is not None:
            self.opened_at = _clock()
            self._waiter.set_result(None)
            self._hold(rest)

    def _hold(self, data: bytes) -> None:
        self._early += data
        if self._early and self._transport is not None:
            self._transport.pause_reading()

    def _attend_to(self, reader: FrameReader) -> None:
        reader.has_news = False
        if reader.ping is not None:
            self._pong(reader.ping)
            reader.ping = None
        if reader.end is not None:
            self._lose(f"close_{reader.end.code}", reader.end.answer)
        if reader.is_behind:
            self._fall_behind()

    def _socket_ended(self, error: Exception | None) -> None:
        """What came before is still to be read."""
        if self._handshake is not None:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(opening_class(error or EOFError()))
        elif self._is_behind:
            self._loss = self._loss or loss_class(error)
        else:
            self._lose(loss_class(error), None)

    def _fall_behind(self) -> None:
        """More came than is read at a time: the rest in turns, and nothing else comes before that."""
        if self._is_behind:
            return
        self._is_behind = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._endpoint.backlog.enter(self._read_on)

    def _read_on(self) -> bool:
        """Read a little more; whether there is still more to read."""
        self.data_received(b"")
        if self._reader is not None and self._reader.is_behind:
            return True
        self._is_behind = False
        if self._loss is not None:
            self._lose(self._loss, None)
        elif self._reader is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        return False

    def _read_no_more(self) -> None:
        """What comes from now on is nothing but a sign of life."""
        self._reader = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()  # or its end would not be noticed

    def _pong(self, payload: bytes) -> None:
        """Answer a ping, unless the other side does not even read: answers must not pile up."""
        if self.is_open and not self.is_congested and self._transport is not None:
            self._transport.write(masked_frame(PONG, payload, next(self._endpoint.masking_keys)))

    def _lose(self, error: str, answer: bytes | None) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._read_no_more()
        self._say_goodbye(answer)
        if self._transport is not None:
            self._transport.close()  # not abort: our answer to a close frame may still be on its way
        self._on_lost(error)

    def _say_goodbye(self, payload: bytes | None) -> None:
        """Send a close frame, if any; then the socket has a moment until it is dropped."""
        if self._transport is None:
            return
        if payload is not None:
            self._transport.write(masked_frame(CLOSE, payload, next(self._endpoint.masking_keys)))
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _ignore(*_: object) -> None:
    pass
