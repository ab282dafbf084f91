"""A program: a server that floods whoever connects as fast as the socket takes it, until its input ends.

It runs in a process of its own, so that it is as fast as the wire. Its arguments say with what, how many must have
come before it begins, and, for TLS, the files of a certificate and its key; its first line of output is its port.
"""

import asyncio
import json
import re
import ssl
import sys
import threading

import uvloop
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import OP_TEXT, Frame
from websockets.utils import accept_key

_BLOCK = 2**18
_BOMB = b'{"type": "notice"' + b" " * (4 * 2**20 - 18) + b"}"
_DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"


def _text(message):
    return Frame(OP_TEXT, json.dumps(message).encode()).serialize(mask=False)


def _bombs():
    frame = Frame(OP_TEXT, _BOMB).serialize(mask=False, extensions=[PerMessageDeflate(True, False, 15, 15)])
    assert len(frame) < 5000
    return frame


def _chunk(said):
    """A part of the reply to the message that was said."""
    return _text({"type": "chunk", "id": re.search(rb'"id":\s*"([^"]*)"', said)[1].decode(), "text": "and"})


ENDLESS = {
    "bombs": _bombs,
    "unasked messages": lambda: _text({"type": "notice", "id": "nobody"}),
    "empty messages": lambda: b"\x81\x00",
    "pings": lambda: b"\x89\x00",
    "fragments": lambda: b"\x00\x7e\x40\x00" + b"x" * 16_384,
    "tiny fragments": lambda: b"\x00\x01x",
    "empty fragments": lambda: b"\x00\x00",
}
"""What is said again and again; beside them there are `chunks` of the reply to the first message."""


class Flood(asyncio.Protocol):
    def __init__(self, kind, house):
        self._kind = kind
        self._house = house
        self._heard = b""
        self._block = None
        self._is_open = True

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        if self._block is not None:
            return
        self._heard += data
        if self in self._house:
            self.listen()
        elif self._heard.endswith(b"\r\n\r\n"):
            self._shake_hands(self._heard)
            self._heard = b""
            self._house.enter(self)

    def _shake_hands(self, head):
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1].decode()
        self._transport.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n"
            f"{_DEFLATE if self._kind == 'bombs' else ''}\r\n".encode()
        )

    def listen(self):
        """Begin as soon as the house is full, and for chunks when something was said."""
        if not self._house.is_full:
            return
        if self._kind != "chunks":
            self._flood(ENDLESS[self._kind]())
        elif self._heard[:1] == b"\x81" and len(self._heard) > 6:
            size = self._heard[1] & 0x7F
            assert size < 126
            key, masked = self._heard[2:6], self._heard[6 : 6 + size]
            self._flood(_chunk(bytes(byte ^ key[place % 4] for place, byte in enumerate(masked))))

    def _flood(self, frame):
        self._transport.write(b"\x01\x01x" if "fragments" in self._kind else b"")
        self._block = frame * max(1, _BLOCK // len(frame))
        self._go_on()

    def pause_writing(self):
        self._is_open = False

    def resume_writing(self):
        self._is_open = True
        if self._block is not None:
            self._go_on()

    def _go_on(self):
        if self._is_open and not self._transport.is_closing():
            self._transport.write(self._block)
            asyncio.get_running_loop().call_soon(self._go_on)

    def connection_lost(self, _exc):
        self._is_open = False


class House:
    def __init__(self, size):
        self._size = size
        self._guests = []

    def __contains__(self, guest):
        return guest in self._guests

    def enter(self, guest):
        self._guests.append(guest)
        if len(self._guests) == self._size:
            for each in self._guests:
                each.listen()

    @property
    def is_full(self):
        return len(self._guests) >= self._size


async def main(kind, size, *certificate):
    loop = asyncio.get_running_loop()
    over, house, tls = asyncio.Event(), House(int(size)), None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    server = await loop.create_server(lambda: Flood(kind, house), "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201

    def wait():
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
