"""Which reply belongs to which request: one user's side of the chat, without any I/O.

The default conversation: the client sends ``{"type": "chat", "id": …, "message": …}``; every JSON message with
that id belongs to the reply: any number of chunks, then ``done`` or ``error``. A plan's `ReplyRules` say it
otherwise.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson

from nightbench.websocket.rules import Rules

_REMEMBERED = 100
"""How many given-up requests are remembered, to tell a late reply from a duplicate one."""

Stray = Literal[
    "unexpected_binary",
    "invalid_json",
    "not_an_object",
    "unknown_id",
    "unasked_reply",
    "late_reply",
    "duplicate_reply",
    "predicate_failed",
]
"""What a message that is no part of an awaited reply is; it is counted and never taken for one."""


class Request:
    """A message under way. Instants in monotonic ns; 0 where they have not come.

    Attributes:
        kind: Which kind of message it is, by its place in the plan.
        counted: Whether it was scheduled inside the measure phase.
        deadline: When it times out.
        first: The first part of the reply.
        latest: The latest part of the reply but its end, or its end where that is the only part.
        previous: The part before that.
        chunks: Parts of the reply but its end.
        received: Bytes of the reply.
        whole: Whether the reply has ended.
        error: The class of a reply that said it failed, or was not the right one.
    """

    __slots__ = (
        "chunks",
        "counted",
        "deadline",
        "error",
        "first",
        "id",
        "kind",
        "latest",
        "previous",
        "received",
        "scheduled",
        "sent",
        "whole",
    )

    def __init__(  # noqa: PLR0917  # made for every message: keywords cost
        self, message_id: str, kind: int, counted: bool, scheduled: int, sent: int, deadline: int
    ) -> None:
        self.id = message_id
        self.kind = kind
        self.counted = counted
        self.scheduled = scheduled
        self.sent = sent
        self.deadline = deadline
        self.first = 0
        self.latest = 0
        self.previous = 0
        self.chunks = 0
        self.received = 0
        self.whole = False
        self.error: str | None = None


class Conversation:
    """One user's requests and their replies.

    Args:
        rules: Of the plan, shared by all users.
        prefix: What every message id of this user begins with; those of different users never meet.

    Attributes:
        sequence: How many messages have been given an id.
    """

    __slots__ = ("_given_up", "_greetings", "_orphans", "_prefix", "_rules", "_waiting", "sequence")

    def __init__(self, rules: Rules, prefix: str) -> None:
        self._rules = rules
        self._prefix = prefix
        self._waiting: dict[str, Request] = {}
        self._given_up: dict[str, None] | None = None
        self._orphans = 0
        self._greetings = 0
        self.sequence = 0

    @property
    def in_flight(self) -> int:
        """How many requests wait for the end of their reply."""
        return len(self._waiting)

    def next_id(self) -> str:
        """The id of the next message, whether it will be sent or not."""
        self.sequence += 1
        return f"{self._prefix}{self.sequence}"

    def next_greeting_id(self) -> str:
        """The id of the next greeting, which is no message of the sequence."""
        self._greetings += 1
        return f"{self._prefix}greeting-{self._greetings}"

    def awaits(self, request: Request) -> bool:
        """Whether its reply has not ended, and it has not been given up."""
        return self._waiting.get(request.id) is request

    def begin(self, request: Request) -> None:
        """Wait for the reply to a request that goes on the wire now."""
        self._waiting[request.id] = request

    def receive(self, payload: bytes, binary: bool, now: int) -> Request | Stray:
        """Take a message from the wire: the request whose reply it is a part of, or what else it is.

        Args:
            payload: The message; text is not yet decoded.
            binary: Whether it came as bytes where text is due.
            now: When it came, monotonic ns.

        Returns:
            The request, `whole` when its reply has ended.
        """
        rules = self._rules
        if rules.format == "raw":
            found = self._oldest(whole=True)
            return found if isinstance(found, str) else self._take(found, None, len(payload), now)
        if binary:
            return "unexpected_binary"
        try:
            message = orjson.loads(payload)
        except ValueError:
            return "invalid_json"
        if rules.match == "id":
            if type(message) is not dict:
                return "not_an_object"
            message_id = rules.id_of(message)
            request = self._waiting.get(message_id) if type(message_id) is str else None
            found = request or self._ended(message_id)
        elif rules.match == "order":
            found = self._oldest(whole=rules.is_done(message) or rules.is_error(message))
        else:
            found = self._claimed(message)
        return found if isinstance(found, str) else self._take(found, message, len(payload), now)

    def give_up(self, request: Request) -> bool:
        """It has timed out; False when it had ended already."""
        if not self.awaits(request):
            return False
        del self._waiting[request.id]
        self._remember(request)
        self._orphans += 1
        return True

    def abandon(self) -> list[Request]:
        """The connection is lost: end every request under way and return them."""
        requests = list(self._waiting.values())
        self._waiting.clear()
        for request in requests:
            self._remember(request)
        self._orphans = 0  # a new connection begins a new order
        return requests

    def _take(self, request: Request, message: Any, size: int, now: int) -> Request:
        """Note a part of the reply to `request`."""
        rules = self._rules
        request.received += size
        request.first = request.first or now
        if rules.is_error(message):
            request.error = "reply_error"
        elif not rules.is_done(message):
            request.chunks += 1
            request.previous = request.latest
            request.latest = now
            return request
        elif not rules.is_right(message):
            request.error = "wrong_reply"
        request.whole = True
        request.latest = request.latest or now
        del self._waiting[request.id]
        return request

    def _ended(self, message_id: Any) -> Stray:
        """What a message with the id of no request under way is."""
        if type(message_id) is not str or not message_id.startswith(self._prefix):
            return "unknown_id"
        if self._given_up is not None and message_id in self._given_up:
            return "late_reply"
        number = message_id[len(self._prefix) :]
        known = number.isascii() and number.isdigit() and len(number) < 20
        return "duplicate_reply" if known and 0 < int(number) <= self.sequence else "unknown_id"

    def _oldest(self, *, whole: bool) -> Request | Stray:
        """The request that waits longest; those that were given up before it are answered first."""
        if self._orphans:
            self._orphans -= whole
            return "late_reply"
        return next(iter(self._waiting.values()), "unasked_reply")

    def _claimed(self, message: Any) -> Request | Stray:
        """The request that the user's predicate takes `message` for a reply of, oldest first."""
        belongs = self._rules.belongs
        assert belongs is not None
        for request in self._waiting.values():
            told = belongs(request.id, message)
            if told is None:
                return "predicate_failed"
            if told:
                return request
        return "unasked_reply"

    def _remember(self, request: Request) -> None:
        if self._given_up is None:
            self._given_up = {}
        self._given_up[request.id] = None
        if len(self._given_up) > _REMEMBERED:
            del self._given_up[next(iter(self._given_up))]
