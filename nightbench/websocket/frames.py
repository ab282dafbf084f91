"""The frames of RFC 6455 as a client reads and writes them; sans-I/O.

A load generator pays for every message of every user: a small whole message, which most are, costs one
slice here. Compressed frames go the long way, through the extension (see `nightbench.websocket.deflate`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, CloseCode

from nightbench.websocket.deflate import Deflate

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part of websockets
    from websockets.utils import apply_mask

MAX_MESSAGE_BYTES = 4 * 2**20
STEP_BYTES = 4096
"""Frames that begin in the first so many bytes are read at a time: some ten milliseconds of work at the very most."""
LONG_BYTES = 64 * 1024
"""A message of more than this is enough for one time."""

TEXT = 0x81
"""The first byte of a frame: a whole text message."""
BINARY = 0x82
CLOSE = 0x88
PONG = 0x8A

_FIN, _RSV, _RSV1, _OPCODE = 0x80, 0x70, 0x40, 0x0F
_WHOLE = frozenset((TEXT, BINARY))
_STARTS = frozenset((0x1, 0x2))
_OPCODES = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))
_OP_CLOSE = 0x8
"""The first opcode of the control frames."""
_MASKED = 0x80

_SHORT_HEADS = {
    first: tuple(bytes((first, _MASKED | size)) for size in range(126))
    for first in (TEXT, BINARY, CLOSE, PONG, TEXT | _RSV1, BINARY | _RSV1)
}
_MEDIUM = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack
_NOTHING: tuple[tuple[bytes, bool], ...] = ()

Message = tuple[bytes, bool]
"""A whole message: its payload, and whether it is binary. Text need not be valid UTF-8."""


def masking_keys() -> Iterator[bytes]:
    """Keys of 4 random bytes without end; the system is asked for many at a time."""
    while True:
        for (key,) in struct.iter_unpack("4s", os.urandom(4096)):
            yield key


def masked_frame(first: int, payload: bytes, key: bytes) -> bytes:
    """One frame of a client, RFC 6455 section 5.2.

    Args:
        first: Its first byte: `TEXT`, `BINARY`, `CLOSE` or `PONG`.
        payload: At most 125 bytes of a control frame.
        key: 4 bytes that nobody can foretell, another for each frame.
    """
    size = len(payload)
    if size < 126:
        return _SHORT_HEADS[first][size] + key + apply_mask(payload, key)
    head = _MEDIUM(first, _MASKED | 126, size) if size < 65_536 else _LONG(first, _MASKED | 127, size)
    return b"".join((head, key, apply_mask(payload, key)))


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is read after it: the other side closed, or broke the protocol.

    Attributes:
        code: The close code that was received (1005: none), or the one to answer a violation with.
        answer: The payload of the close frame to send.
    """

    code: int
    answer: bytes


class FrameReader:
    """Reads what a server sends, in pieces of any size, and a little of it at a time.

    Holds at most one message that is not whole yet, of at most `max_size` bytes, and what it was fed since it
    fell behind.

    Args:
        deflate: The compression that was negotiated, or None.
        max_size: The most bytes of a message; a longer one ends the connection with 1009.
        behind: What has come already; nothing of it is read yet.

    Attributes:
        ping: The payload of the latest ping that was not answered yet (answering it answers those before it,
            RFC 6455 section 5.5.3); whoever answers it sets it to None.
        end: Set once, when there is no more to read.
        is_behind: Whether more may wait to be read: let others come first, then `feed` again, with nothing.
        has_news: Whether one of these was set; for whoever looks at them only then, and sets it to False.
    """

    __slots__ = (
        "_behind", "_deflate", "_is_binary", "_is_clear", "_message", "_missing", "_place", "_rest", "end",
        "has_news", "is_behind", "max_size", "ping",
    )  # fmt: skip

    def __init__(
        self, deflate: Deflate | None = None, *, max_size: int = MAX_MESSAGE_BYTES, behind: bytes = b""
    ) -> None:
        self._deflate = deflate
        self.max_size = max_size
        self.ping: bytes | None = None
        self.end: End | None = None
        self.is_behind = self.has_news = bool(behind)
        self._is_clear = not behind  # whether nothing is held, so that what is fed begins with a frame
        self._behind, self._place = behind, 0  # what is read next, from there on, as long as it is behind
        self._rest: bytearray | None = None  # the beginning of a frame
        self._missing = 0  # how long it must be before it is worth a look
        self._message: bytearray | None = None  # the fragments of a message so far
        self._is_binary = False

    def feed(self, data: bytes = b"") -> Sequence[Message]:
        """The next messages, in order; look at `is_behind`, `ping` and `end` afterwards."""
        place = 0
        if not self._is_clear:
            data, place = self._held(data)
        messages: list[Message] = []
        try:
            self._read(data, place, messages)
        except ProtocolError as error:
            self._break(CloseCode.PROTOCOL_ERROR, str(error))
        except UnicodeDecodeError:
            self._break(CloseCode.INVALID_DATA, "invalid UTF-8 in a close reason")
        except PayloadTooBig:
            self._break(CloseCode.MESSAGE_TOO_BIG, f"message over {self.max_size} bytes")
        return messages

    def _held(self, more: bytes) -> tuple[bytes, int]:
        """What is to be read now that there is more, and from where on; nothing as long as that would be of no use."""
        if self.end is not None:
            return b"", 0
        if self._rest is not None:
            self._rest += more
            if len(self._rest) < self._missing:
                return b"", 0
            data, place = bytes(self._rest), 0
        elif more:
            data, place = self._behind[self._place :] + more, 0
        else:
            data, place = self._behind, self._place
        self._behind, self._rest, self._is_clear, self.is_behind = b"", None, True, False
        return data, place

    def _read(self, data: bytes, place: int, messages: list[Message]) -> None:
        position, end = place, len(data)
        last = end - 1 if end - place <= STEP_BYTES else place + STEP_BYTES
        while position < last:
            first, size, start = data[position], data[position + 1], position + 2
            if size > 125:
                start, size = _long(data, start, size)
                if size > LONG_BYTES:
                    last = 0
            plain = first in _WHOLE and self._message is None
            if not plain or size > self.max_size:
                self._check(first, size)
            stop = start + size
            if stop > end:
                self._keep(data, position, stop - position)
                return
            if plain:
                messages.append((data[start:stop], first == BINARY))
            elif self._take(first, data[start:stop], messages):
                last = 0
            position = stop
        if position < end or not last:
            self._leave(data, position, last)

    def _leave(self, data: bytes, position: int, last: int) -> None:
        """What was not read: it is no whole frame, or was too much."""
        if self.end is not None:
            return
        if last < len(data) - 1:
            self._behind, self._place, self._is_clear = data, position, False
            self.is_behind = self.has_news = True
        else:
            self._keep(data, position, 2)

    def _keep(self, data: bytes, position: int, missing: int) -> None:
        self._rest, self._missing, self._is_clear = bytearray(data[position:]), missing, False

    def _check(self, first: int, size: int) -> None:
        """Raise unless a frame with this first byte and this many bytes of payload may come now."""
        opcode = first & _OPCODE
        if opcode not in _OPCODES:
            raise ProtocolError("invalid opcode")
        compressed = self._deflate is not None and first & _RSV == _RSV1 and opcode in _STARTS
        if first & _RSV and not compressed:
            raise ProtocolError("reserved bits must be 0")
        if opcode >= _OP_CLOSE:
            if size > 125:
                raise ProtocolError("control frame too long")
            if not first & _FIN:
                raise ProtocolError("fragmented control frame")
            return
        if opcode in _STARTS and self._message is not None:
            raise ProtocolError("expected a continuation frame")
        if opcode not in _STARTS and self._message is None:
            raise ProtocolError("unexpected continuation frame")
        if size > self._room:
            raise PayloadTooBig(size, self._room)

    @property
    def _room(self) -> int:
        return self.max_size - (0 if self._message is None else len(self._message))

    def _take(self, first: int, payload: bytes, messages: list[Message]) -> bool:
        """A whole frame that was found in order; whether it is enough for one time."""
        match first & _OPCODE:
            case 0x8:
                self._end(End(Close.parse(payload).code, payload))
                return True
            case 0x9:
                self.ping, self.has_news = payload, True
            case 0xA:
                pass  # nobody was pinged
            case opcode:
                return self._take_data(first, opcode, payload, messages)
        return False

    def _take_data(self, first: int, opcode: int, payload: bytes, messages: list[Message]) -> bool:
        if self._deflate is not None:
            payload = self._deflate.decode(first, payload, self._room)
            if len(payload) > self._room:
                raise PayloadTooBig(len(payload), self._room)
        is_long = len(payload) > LONG_BYTES
        if opcode in _STARTS:
            self._is_binary = opcode == BINARY & _OPCODE
            if first & _FIN:
                messages.append((payload, self._is_binary))
            else:
                self._message = bytearray(payload)
            return is_long
        assert self._message is not None
        self._message += payload
        if first & _FIN:
            payload = bytes(self._message)
            messages.append((payload, self._is_binary))
            self._message = None
        return is_long or len(payload) > LONG_BYTES

    def _break(self, code: CloseCode, why: str) -> None:
        self._end(End(int(code), Close(code, why).serialize()))

    def _end(self, end: End) -> None:
        self.end, self.has_news, self._is_clear = end, True, False
        self._rest = self._message = None


def _long(data: bytes, start: int, marker: int) -> tuple[int, int]:
    """Where the payload starts and its size, when `marker` is over 125: the size is in 2 or 8 bytes at `start`.

    The size is 0 as long as those bytes are not all there.
    """
    if marker & _MASKED:
        raise ProtocolError("masked frame of a server")
    payload = start + (2 if marker == 126 else 8)
    if payload > len(data):
        return payload, 0
    size = int.from_bytes(data[start:payload], "big")
    if size < (126 if marker == 126 else 65_536):
        raise ProtocolError("length not in its shortest form")
    if size >= 2**63:
        raise ProtocolError("length over 63 bits")
    return payload, size
