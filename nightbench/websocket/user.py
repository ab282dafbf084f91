"""One simulated user."""

from __future__ import annotations

from nightbench.websocket.client import Connection
from nightbench.websocket.conversation import Conversation
from nightbench.websocket.rules import Rules


class User:
    """A connection, a conversation and a place in the schedule.

    Attributes:
        index: Which one it is of all users of the load test, whatever its shard.
        lost: Why it has no connection: the class of the loss, or of the failed attempt; None before that.
        lost_at: When it lost its connection, monotonic ns; 0 while it has one or never had.
        attempts: How often it has tried to connect since it was connected for a while.
        begun: Whether its schedule has begun.
        is_ready: Whether it may talk: it is connected, and its greeting, if any, was answered well.
    """

    __slots__ = ("attempts", "begun", "connection", "conversation", "index", "is_ready", "lost", "lost_at")

    def __init__(self, index: int, run_id: str, rules: Rules) -> None:
        self.index = index
        self.conversation = Conversation(rules, f"{run_id}-{index}-")
        self.connection: Connection | None = None
        self.lost: str | None = None
        self.lost_at = 0
        self.attempts = 0
        self.begun = False
        self.is_ready = False

    @property
    def cannot_send(self) -> str | None:
        """The class of what fails before it is sent: there is no connection, or no greeting yet; else None."""
        if self.connection is None or not self.connection.is_open:
            return self.lost or "not_connected"
        return None if self.is_ready else "not_greeted"
