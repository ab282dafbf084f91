"""Real servers that behave as a test asks, each on a loopback port and a thread of its own."""

import asyncio
import json
import re
import socket
import struct
import threading
from contextlib import contextmanager

from websockets.asyncio.server import serve
from websockets.utils import accept_key

_LOOKS = 3
"""In how many looks nothing ends before the rest is ended: a pause of the machine takes one of them only."""


def run_server(start, *, scheme="ws"):
    """Run ``async with start() as server`` in a thread; yields (url, loop)."""

    @contextmanager
    def running():
        loop = asyncio.new_event_loop()
        ready, over = threading.Event(), asyncio.Event()
        port = []

        async def main():
            async with start() as server:
                port.append(server.sockets[0].getsockname()[1])
                ready.set()
                await over.wait()
            await asyncio.sleep(0)
            looks = 0  # who has just been accepted is let in, and what ends by itself may do so
            while (left := _others()) and looks < _LOOKS:
                ended, _ = await asyncio.wait(left, timeout=0.02)
                looks = 0 if ended else looks + 1
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await asyncio.sleep(0)  # for the sockets to be closed

        thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
        thread.start()
        assert ready.wait(10)
        try:
            yield f"{scheme}://127.0.0.1:{port[0]}/chat"
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()
            loop.close()

    return running()


def _others():
    return asyncio.all_tasks() - {asyncio.current_task()}


def chat_server(handler, *, compression=None, **options):
    """A WebSocket server with this connection handler."""
    scheme = "wss" if options.get("ssl") else "ws"
    return run_server(
        lambda: serve(handler, "127.0.0.1", 0, compression=compression, **options), scheme=scheme
    )


def raw_server(handler, *, tls=None, port=0):
    """A TCP server: handler(reader, writer)."""

    async def guarded(reader, writer):
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        except asyncio.CancelledError:
            writer.transport.abort()  # the test is over, whatever the client has not read
        finally:
            writer.close()

    return run_server(lambda: _Listening(guarded, tls, port), scheme="wss" if tls else "ws")


class _Listening:
    def __init__(self, handler, tls, port):
        self._handler = handler
        self._tls = tls
        self._port = port

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._handler, "127.0.0.1", self._port, ssl=self._tls)
        return self._server

    async def __aexit__(self, *_):
        self._server.close()


def accepting(behave, *, headers=""):
    """A handler for `raw_server` which shakes hands, and then leaves all else to ``behave(reader, writer)``.

    `behave` may also be the bytes that follow the response in the same packet; nothing comes after them
    but what the client ends.
    """

    async def handler(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1].decode()
        response = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n{headers}\r\n"
        ).encode()
        if isinstance(behave, bytes):
            writer.write(response + behave)
            await reader.read()
        else:
            writer.write(response)
            await behave(reader, writer)

    return handler


def reset_on_close(writer):
    """Make the end of this connection a TCP reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def answer(websocket, text):
    """The default conversation: one chunk, then done."""
    message = json.loads(text)
    await websocket.send(json.dumps({"type": "chunk", "id": message["id"], "text": "x"}))
    await websocket.send(json.dumps({"type": "done", "id": message["id"]}))


async def polite(websocket):
    """Answers everything at once."""
    async for text in websocket:
        await answer(websocket, text)


def answering_in_turn(seconds):
    """Takes so long for each message, and reads the next one after it."""

    async def handler(websocket):
        async for text in websocket:
            await asyncio.sleep(seconds)
            await answer(websocket, text)

    return handler


def answering_after(seconds):
    """Answers each message so much later, reading on meanwhile."""

    async def handler(websocket):
        replies = set()

        async def later(text):
            await asyncio.sleep(seconds)
            await answer(websocket, text)

        async for text in websocket:
            replies.add(asyncio.create_task(later(text)))

    return handler
