"""One connection of the reference backend: messages in, streamed replies out."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from fastapi import WebSocket, WebSocketDisconnect

from nightbench.observability import capture_exception, capture_message, trace_async
from nightbench.reference.conversations import Conversations
from nightbench.reference.staging import Fate

CONCURRENT_MESSAGES = 64
"""Messages of one connection that are worked on at once; further ones wait unread."""

_REPLY = "You spent 412.50 EUR on groceries this month, which is 82 % of your budget."


@dataclass
class Counters:
    """What the backend itself counted, to compare with what a load test says."""

    connections_accepted: int = 0
    connections_refused: int = 0
    connections_open: int = 0
    messages_received: int = 0
    replies_done: int = 0
    replies_failed: int = 0
    rows_written: dict[str, int] = field(default_factory=dict)


class _GoneError(Exception):
    """Nobody is there to hear the rest of the reply."""


class Chat:
    """Talks with one client until it leaves.

    Args:
        websocket: An accepted connection.
        tenant: Whose connection it is.
        chunks: Parts of a reply before its last message.
    """

    def __init__(
        self,
        websocket: WebSocket,
        tenant: UUID,
        *,
        conversations: Conversations,
        fate: Fate,
        counters: Counters,
        chunks: int,
    ) -> None:
        self._websocket = websocket
        self._tenant = tenant
        self._conversations = conversations
        self._fate = fate
        self._counters = counters
        self._chunks = [f"{part}" for part in _parts(_REPLY, chunks)]
        self._conversation: asyncio.Task[UUID] | None = None
        self._slots = asyncio.Semaphore(CONCURRENT_MESSAGES)
        self._gone = asyncio.Event()

    async def talk(self) -> None:
        """Receive until the client leaves; replies still under way are dropped then.

        A transaction that has begun is never dropped: cancelled in its commit, it might have written rows
        that nobody counted.
        """
        replies: set[asyncio.Task[None]] = set()
        try:
            while True:
                text = await self._receive()
                self._counters.messages_received += 1
                await self._slots.acquire()
                reply = asyncio.create_task(self._handle(text))
                replies.add(reply)
                reply.add_done_callback(replies.discard)
                reply.add_done_callback(lambda _: self._slots.release())
        except WebSocketDisconnect:
            pass
        finally:
            self._gone.set()
            await asyncio.gather(*replies, return_exceptions=True)

    async def _receive(self) -> str | bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def _handle(self, text: str | bytes) -> None:
        with suppress(_GoneError):
            try:
                message_id, question = _parse(text)
            except ValueError as error:
                await self._fail(None, str(error))
                return
            try:
                if self._fate.fails():
                    capture_message("the assistant is not available", "error", tags={"reply": "failed"})
                    await self._fail(message_id, "the assistant is not available")
                    return
                await self._reply(message_id, question)
            except psycopg.Error as error:
                capture_exception(error, user=str(self._tenant), tags={"reply": "failed"})
                await self._fail(message_id, f"the database failed: {type(error).__name__}")

    @trace_async(op="chat.reply")
    async def _reply(self, message_id: str, question: str) -> None:
        conversation = await self._opened()
        await self._conversations.ask(self._tenant, conversation, question)
        await self._pause(self._fate.delay())
        await self._pause(self._fate.stalled_for(time.monotonic()))
        for chunk in self._chunks:
            await self._send({"type": "chunk", "id": message_id, "text": chunk})
        await self._conversations.answer(self._tenant, conversation, _REPLY)
        self._counters.replies_done += 1
        await self._send({"type": "done", "id": message_id})

    async def _opened(self) -> UUID:
        """The conversation of this connection, begun with its first message."""
        if self._conversation is None:
            self._conversation = asyncio.create_task(self._conversations.open(self._tenant))
        opening = self._conversation
        try:
            return await asyncio.shield(opening)
        except psycopg.Error:
            if self._conversation is opening:
                self._conversation = None  # the next message tries again
            raise

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the client leaves meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return
        raise _GoneError

    async def _fail(self, message_id: str | None, detail: str) -> None:
        self._counters.replies_failed += 1
        await self._send({"type": "error", "id": message_id, "detail": detail})

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._websocket.send_text(json.dumps(message))
        except (WebSocketDisconnect, RuntimeError):
            raise _GoneError from None


def _parse(text: str | bytes) -> tuple[str, str]:
    """The id and the question of a chat message; ValueError says what is wrong with it."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(message, dict) or message.get("type") != "chat":
        raise ValueError('not an object of type "chat"')
    message_id, question = message.get("id"), message.get("message")
    if not isinstance(message_id, str) or not isinstance(question, str):
        raise ValueError('"id" and "message" must be strings')  # noqa: TRY004  # wrong data, not a wrong call
    return message_id, question.replace("\0", "")


def _parts(text: str, count: int) -> list[str]:
    """`text` in `count` parts of about the same length."""
    return [text[len(text) * part // count : len(text) * (part + 1) // count] for part in range(count)]
