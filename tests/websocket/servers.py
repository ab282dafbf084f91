"""Real servers that behave as a test asks, each on a loopback port and a thread of its own."""

import asyncio
import json
import threading
from contextlib import contextmanager

from websockets.asyncio.server import serve


def run_server(start):
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

        thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
        thread.start()
        assert ready.wait(10)
        try:
            yield f"ws://127.0.0.1:{port[0]}/chat"
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()
            loop.close()

    return running()


def chat_server(handler, **options):
    """A WebSocket server with this connection handler."""
    return run_server(lambda: serve(handler, "127.0.0.1", 0, compression=None, **options))


def raw_server(handler):
    """A TCP server: handler(reader, writer)."""

    async def guarded(reader, writer):
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    return run_server(lambda: _Listening(guarded))


class _Listening:
    def __init__(self, handler):
        self._handler = handler

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._handler, "127.0.0.1", 0)
        return self._server

    async def __aexit__(self, *_):
        self._server.close()


async def answer(websocket, text):
    """The default conversation: one chunk, then done."""
    message = json.loads(text)
    await websocket.send(json.dumps({"type": "chunk", "id": message["id"], "text": "x"}))
    await websocket.send(json.dumps({"type": "done", "id": message["id"]}))


async def polite(websocket):
    """Answers everything at once."""
    async for text in websocket:
        await answer(websocket, text)
