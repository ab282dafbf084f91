"""Which reply belongs to which request: one user's side of the chat, without any I/O.

The client sends ``{"type": "chat", "id": …, "message": …}``; every JSON message with that id belongs to the
reply: any number of chunks, then ``done`` or ``error``.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Literal

_REMEMBERED = 1000
"""How many ended requests are remembered, to tell a late or duplicate reply from a foreign one."""

Stray = Literal["invalid_json", "not_an_object", "unknown_id", "late_reply", "duplicate_reply"]


@dataclass(slots=True)
class Request:
    """A message under way. Instants in monotonic ns; `first` is 0 until the first part of the reply came.

    Attributes:
        counted: Whether it was scheduled inside the measure phase.
        deadline: When it times out.
    """

    id: str
    counted: bool
    scheduled: int
    sent: int
    deadline: int
    first: int = 0
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """A reply is whole; `error` is its class when the reply said that it failed."""

    request: Request
    error: str | None


@dataclass(frozen=True, slots=True)
class StrayMessage:
    """A message that is no part of an awaited reply; it is counted and never taken for one."""

    kind: Stray


class Conversation:
    """One user's requests and their replies.

    Args:
        user: Names the user in message ids; ids of different users never meet.
    """

    def __init__(self, user: str) -> None:
        self._user = user
        self._sequence = 0
        self._waiting: dict[str, Request] = {}
        self._ended: OrderedDict[str, Stray] = OrderedDict()

    @property
    def in_flight(self) -> int:
        """How many requests wait for the end of their reply."""
        return len(self._waiting)

    def send(
        self, message: str, *, counted: bool, scheduled: int, now: int, deadline: int
    ) -> tuple[Request, str]:
        """Begin a request: the request and the text to put on the wire."""
        self._sequence += 1
        request = Request(f"{self._user}-{self._sequence}", counted, scheduled, now, deadline)
        self._waiting[request.id] = request
        return request, json.dumps({"type": "chat", "id": request.id, "message": message})

    def receive(self, text: str | bytes, now: int) -> Completed | StrayMessage | None:
        """Take a message from the wire; None while a reply is still coming."""
        try:
            message: Any = json.loads(text)
        except (ValueError, RecursionError):
            return StrayMessage("invalid_json")
        if not isinstance(message, dict):
            return StrayMessage("not_an_object")
        message_id = message.get("id")
        request = self._waiting.get(message_id) if isinstance(message_id, str) else None
        if request is None:
            return StrayMessage(self._ended.get(str(message_id), "unknown_id"))
        request.first = request.first or now
        match message.get("type"):
            case "done":
                self._end(request, "duplicate_reply")
                return Completed(request, None)
            case "error":
                self._end(request, "duplicate_reply")
                return Completed(request, "reply_error")
        request.chunks += 1
        return None

    def time_out(self, request: Request) -> bool:
        """Give up on a request; False when it had ended already."""
        if self._waiting.get(request.id) is not request:
            return False
        self._end(request, "late_reply")
        return True

    def abandon(self) -> list[Request]:
        """The connection is lost: end every request under way and return them."""
        requests = list(self._waiting.values())
        for request in requests:
            self._end(request, "late_reply")
        return requests

    def _end(self, request: Request, later: Stray) -> None:
        del self._waiting[request.id]
        self._ended[request.id] = later
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
