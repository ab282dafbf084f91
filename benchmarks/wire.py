"""The server's side of the wire, as cheap as Python can be: a handshake answered and frames cut by hand.

A benchmark's server must cost less than any generator, or the figures would be the server's own. Pure.
"""

from __future__ import annotations

import base64
import hashlib

from websockets.speedups import apply_mask

OP_TEXT = 0x1
OP_BINARY = 0x2
OP_CLOSE = 0x8
OP_PING = 0x9

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_MASKED = 0x80
_FINAL = 0x80

Frame = tuple[int, bytes]
"""Opcode and unmasked payload."""


def handshake_answer(request: bytes) -> bytes:
    """The 101 response to a whole upgrade request.

    Raises:
        ValueError: when it carries no ``Sec-WebSocket-Key``.
    """
    for line in request.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"sec-websocket-key":
            digest = hashlib.sha1(value.strip() + _GUID, usedforsecurity=False).digest()
            return (
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
    raise ValueError("no Sec-WebSocket-Key: this is no WebSocket handshake")


def cut_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the head of what a client sent, and the bytes that are left over."""
    frames: list[Frame] = []
    at, end = 0, len(data)
    while end - at >= 2:
        opcode, length, head = data[at] & 0x0F, data[at + 1] & 0x7F, 2
        masked = data[at + 1] & _MASKED
        if length >= 126:
            head = 4 if length == 126 else 10
            if end - at < head:
                break
            length = int.from_bytes(data[at + 2 : at + head], "big")
        body = at + head + (4 if masked else 0)
        if end < body + length:
            break
        payload = data[body : body + length]
        frames.append((opcode, apply_mask(payload, data[body - 4 : body]) if masked else payload))
        at = body + length
    return frames, data[at:]


def frame(payload: bytes, opcode: int = OP_TEXT) -> bytes:
    """One unmasked final frame, as servers send them."""
    size = len(payload)
    if size < 126:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 65_536:
        return bytes((_FINAL | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL | opcode, 127)) + size.to_bytes(8, "big") + payload


def done_reply(message: bytes) -> bytes:
    """The frame that answers a chat message: its id is cut out of the bytes, nothing is parsed.

    Raises:
        ValueError: when the message has no ``"id"`` that is a string.
    """
    start = message.index(b'"', message.index(b'"id"') + 4) + 1
    return frame(b'{"type": "done", "id": "' + message[start : message.index(b'"', start)] + b'"}')
