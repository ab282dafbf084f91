"""The floor: websockets' sans-I/O protocol over a bare asyncio transport; nothing is counted or timed.

Run as a program: ``python -m benchmarks.peers.bare_loop URL USERS SECONDS MESSAGE RATE``, where a RATE of 0 is
the closed loop.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from websockets.client import ClientProtocol
from websockets.frames import OP_TEXT, Frame
from websockets.uri import WebSocketURI, parse_uri


class Chatter(asyncio.Protocol):
    """Sends, waits for the reply, and sends again; or sends every `interval` seconds from `offset` on."""

    def __init__(self, uri: WebSocketURI, user: int, message: str, interval: float, offset: float) -> None:
        self._protocol = ClientProtocol(uri)
        self._user = user
        self._sequence = 0
        self._message = message
        self._interval = interval
        self._offset = offset
        self._waiting = ""
        self.closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade (asyncio)."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # create_connection makes one
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """The upgrade was answered, or a message was (asyncio)."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                self._begin()
            elif event.opcode is OP_TEXT:
                reply = json.loads(bytes(event.data))
                right = reply["type"] == "done" and reply["id"] == self._waiting
                if right and not self._interval and not self.closing:
                    self._say()
        self._flush()

    def _begin(self) -> None:
        if self._interval:
            loop = asyncio.get_running_loop()
            self._say_at(loop, loop.time() + self._offset)
        else:
            self._say()

    def _say_at(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        loop.call_at(due, self._say_and_go_on, loop, due)

    def _say_and_go_on(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if not self.closing:
            self._say()
            self._say_at(loop, due + self._interval)

    def _say(self) -> None:
        self._sequence += 1
        self._waiting = f"{self._user}-{self._sequence}"
        text = json.dumps({"type": "chat", "id": self._waiting, "message": self._message})
        self._protocol.send_text(text.encode())
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.transport.write(data)


async def main(url: str, users: int, seconds: float, message: str, rate: float) -> None:
    """Connect all users, let them talk, drop them."""
    uri = parse_uri(url)
    loop = asyncio.get_running_loop()
    interval = users / rate if rate else 0.0
    chatters = [Chatter(uri, user, message, interval, interval * user / users) for user in range(users)]
    for chatter in chatters:
        await loop.create_connection(lambda chatter=chatter: chatter, uri.host, uri.port)  # type: ignore[misc]
    await asyncio.sleep(seconds)
    for chatter in chatters:
        chatter.closing = True
        chatter.transport.close()


if __name__ == "__main__":
    _, url, users, seconds, message, rate = sys.argv
    uvloop.run(main(url, int(users), float(seconds), message, float(rate)))
