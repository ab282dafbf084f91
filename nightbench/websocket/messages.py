"""What each user sends when, and what becomes of it: a reply, a failure, a time-out, or it is skipped."""

from __future__ import annotations

import time
from collections import deque
from functools import partial

from nightbench.load.agenda import Agenda
from nightbench.load.ledger import Outcome
from nightbench.load.phases import SECOND, Phases
from nightbench.load.schedule import StaggeredSchedule
from nightbench.plan import WebSocketPlan
from nightbench.websocket.client import Connection
from nightbench.websocket.conversation import Completed, Conversation, Request, StrayMessage
from nightbench.websocket.records import Records

LOST_USER_SECONDS = 0.1
"""The least that a user without a connection thinks: what fails at once must not be all that is done."""

_clock = time.perf_counter_ns


class User:
    """One simulated user: a connection, a conversation and a place in the schedule.

    Attributes:
        lost: The class of the loss of its connection, None as long as it has not lost one.
    """

    __slots__ = ("connection", "conversation", "index", "lost")

    def __init__(self, index: int, run_id: str) -> None:
        self.index = index
        self.conversation = Conversation(f"{run_id}-{index}")
        self.connection: Connection | None = None
        self.lost: str | None = None


class Messages:
    """The messages of all users.

    Args:
        plan: How they are paced, and what they may take.
        phases: Where the schedule begins, and which messages count. What a run that is cut short leaves out
            is never due, so these stay right.
        agenda: Where what is due next is entered.
        records: Where it is written down.
    """

    def __init__(self, plan: WebSocketPlan, phases: Phases, agenda: Agenda, records: Records) -> None:
        self._plan = plan
        self._phases = phases
        self._agenda = agenda
        self._records = records
        self._schedule = StaggeredSchedule(
            users=plan.users, rate=plan.messages_per_second, origin=phases.start
        )
        self._deadlines: deque[tuple[User, Request]] = deque()

    def begin(self, user: User, connected: int) -> None:
        """`user` has been connected since this instant (ns), and begins to send."""
        if self._plan.model == "closed":
            self._agenda.at(connected, partial(self._send, user))
        else:
            turn, due = self._schedule.first(user.index, connected)
            self._agenda.at(due, partial(self._send_turn, user, turn))

    def receive(self, user: User, text: bytes) -> None:
        """`user` got a message."""
        now = _clock()
        match user.conversation.receive(text, now):
            case Completed(request, None):
                self._end(user, request, now, Outcome.OK)
            case Completed(request, error):
                self._end(user, request, now, Outcome.FAILED, error)
            case StrayMessage(kind):
                self._records.stray[kind] += 1

    def abandon(self, user: User, error: str) -> None:
        """The connection of `user` is gone: what was under way failed."""
        now = _clock()
        for request in user.conversation.abandon():
            self._end(user, request, now, Outcome.FAILED, error)

    @property
    def last_deadline(self) -> int:
        """When the last of those that are waited for times out, monotonic ns; 0 when there is none."""
        return self._deadlines[-1][1].deadline if self._deadlines else 0

    def expire(self, now: int) -> None:
        """Time out what has waited too long; the deadlines are in order, since the time-out is constant."""
        while self._deadlines and self._deadlines[0][1].deadline <= now:
            user, request = self._deadlines.popleft()
            if user.conversation.time_out(request):
                self._end(user, request, request.deadline, Outcome.TIMED_OUT, "timeout")

    def _send_turn(self, user: User, turn: int, due: int) -> None:
        """The open model: the next turn is due whatever becomes of this one."""
        following, next_due = self._schedule.next(user.index, turn)
        self._agenda.at(next_due, partial(self._send_turn, user, following))
        self._send(user, due)

    def _send(self, user: User, due: int) -> None:
        counted = self._phases.counts(due)
        self._records.message_due(counted=counted)
        connection = user.connection
        if connection is None or not connection.is_open:
            self._records.message_not_sent(user.lost or "not_connected", counted=counted)
            self._go_on(user, least=LOST_USER_SECONDS)  # and tries again, in vain
            return
        if user.conversation.in_flight >= self._plan.max_in_flight:
            self._records.message_skipped("in_flight_limit", due=due, counted=counted)
            return
        now = _clock()
        request, text = user.conversation.send(
            self._plan.message,
            counted=counted,
            scheduled=due,
            now=now,
            deadline=now + round(self._plan.timeout * SECOND),
        )
        connection.send(text)
        self._deadlines.append((user, request))

    def _end(
        self, user: User, request: Request, now: int, outcome: Outcome, error: str | None = None
    ) -> None:
        """A message ended, however: write it down, and in the closed model the user goes on."""
        self._records.message_ended(request, now, outcome, error)
        self._go_on(user)

    def _go_on(self, user: User, *, least: float = 0.0) -> None:
        """The closed model: the next message follows the end of this one, after `least` seconds of thinking."""
        if self._plan.model == "closed":
            think = max(self._plan.think, least)
            self._agenda.at(_clock() + round(think * SECOND), partial(self._send, user))
