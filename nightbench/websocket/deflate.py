"""Compression of messages (permessage-deflate, RFC 7692), when it was negotiated; sans-I/O."""

from __future__ import annotations

from websockets.extensions import Extension
from websockets.frames import OP_BINARY, OP_TEXT, Frame, Opcode

_FIN, _RSV1, _OPCODE = 0x80, 0x40, 0x0F


class Deflate:
    """The compression of one connection: websockets' own extension, fed with bytes.

    Args:
        extension: As it was negotiated; it remembers what was sent and received before.
    """

    __slots__ = ("_extension",)

    def __init__(self, extension: Extension) -> None:
        self._extension = extension

    def decode(self, first: int, payload: bytes, room: int) -> bytes:
        """The payload of a data frame whose first byte is `first`, decompressed where it was compressed.

        Raises:
            PayloadTooBig: It would be longer than `room` bytes (and than 1: zlib takes 0 for no limit).
            ProtocolError: It is no compressed data.
        """
        frame = Frame(Opcode(first & _OPCODE), payload, bool(first & _FIN), bool(first & _RSV1))
        return bytes(self._extension.decode(frame, max_size=max(room, 1)).data)

    def encode(self, payload: bytes, *, binary: bool) -> tuple[int, bytes]:
        """The first byte and the payload of the frame that carries a message compressed."""
        frame = self._extension.encode(Frame(OP_BINARY if binary else OP_TEXT, payload))
        return _FIN | (_RSV1 if frame.rsv1 else 0) | frame.opcode, bytes(frame.data)
