"""Waiting for a Prefect server that is just starting, on a socket that listens since before its process."""

from __future__ import annotations

import asyncio


async def why_no_answer(host: str, port: int, *, within: float) -> str:
    """Wait until the server answers: empty then; or why it does not, within so many seconds."""
    try:
        async with asyncio.timeout(within):
            await _answer(host, port)
    except TimeoutError:
        return "no answer in time"
    except (OSError, EOFError):
        return "it ended while starting"
    return ""


async def _answer(host: str, port: int) -> None:
    # The listening socket is older than the process: the connection stands at once, the answer comes when
    # the server is up, and the connection is reset when the process ends instead.
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        if b" 200 " not in await reader.readline():
            raise EOFError
    finally:
        writer.close()
