"""A closed loop on websockets' coroutine client, for comparison; nothing is counted or timed.

Run as a program: ``python -m benchmarks.peers.coroutine_client URL USERS SECONDS MESSAGE 0``.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from websockets.asyncio.client import connect


async def chat(url: str, user: int, message: str, over: asyncio.Event) -> None:
    """One user: send, wait for the reply, and send again."""
    async with connect(url, compression=None) as socket:
        sequence = 0
        while not over.is_set():
            sequence += 1
            message_id = f"{user}-{sequence}"
            await socket.send(json.dumps({"type": "chat", "id": message_id, "message": message}))
            reply = json.loads(await socket.recv())
            if reply["id"] != message_id or reply["type"] != "done":
                raise ValueError(reply)


async def main(url: str, users: int, seconds: float, message: str) -> None:
    """Let all users talk for so many seconds."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await asyncio.gather(*(chat(url, user, message, over) for user in range(users)))


if __name__ == "__main__":
    _, url, users, seconds, message, _ = sys.argv
    uvloop.run(main(url, int(users), float(seconds), message))
