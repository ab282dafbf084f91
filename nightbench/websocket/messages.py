"""What each user sends when, and what becomes of it: a reply, a failure, a time-out, or it is skipped."""

from __future__ import annotations

import time
from collections import deque
from functools import partial

from nightbench.load.agenda import Agenda
from nightbench.load.ledger import Outcome
from nightbench.load.phases import SECOND, Phases
from nightbench.load.schedule import Arrivals, RateProfile, Turn, think_ns
from nightbench.plan import WebSocketPlan
from nightbench.websocket.conversation import Request
from nightbench.websocket.records import GREETING_KIND, Records
from nightbench.websocket.script import Script
from nightbench.websocket.user import User

LOST_USER_SECONDS = 0.1
"""The least that a user without a connection thinks: what fails at once must not be all that is done."""

_WORTH_SWEEPING = 10_000
_OK = Outcome.OK  # reading a member of an enum costs as much as a count
_clock = time.perf_counter_ns


class Messages:
    """The messages of all users.

    Args:
        plan: How they are paced, and what they may take.
        script: What they say.
        phases: Where the schedule begins, and which messages count. What a run that is cut short leaves out
            is never due, so these stay right.
        agenda: Where what is due next is entered; once it is closed, nothing is sent any more.
        records: Where it is written down.

    Attributes:
        under_way: How many are waited for.
    """

    def __init__(
        self, plan: WebSocketPlan, script: Script, phases: Phases, agenda: Agenda, records: Records
    ) -> None:
        self._plan = plan
        self._closed_model = plan.model == "closed"
        self._timeout = round(plan.timeout * SECOND)
        self._pacing = round(plan.pacing * SECOND)
        self._script = script
        self._phases = phases
        self._agenda = agenda
        self._records = records
        self._arrivals = _arrivals(plan, phases)
        self._deadlines: deque[tuple[User, Request]] = deque()
        self.under_way = 0

    def begin(self, user: User, connected: int) -> None:
        """`user` is connected since this instant (ns), for the first time or again, and begins to talk.

        Where the plan has a greeting, nothing else is said on a connection before that is answered well.
        """
        if self._plan.greeting is None:
            user.is_ready = True
            self._begin_turns(user, connected)
            return
        message_id = user.conversation.next_greeting_id()
        greeting = self._script.greeting(user.index, message_id)
        assert greeting is not None
        self._records.message_due(GREETING_KIND, counted=True)
        now = _clock()
        self._put(
            user, Request(message_id, GREETING_KIND, True, connected, now, now + self._timeout), *greeting
        )

    def receive(self, user: User, payload: bytes, binary: bool) -> None:
        """`user` got a message."""
        now = _clock()
        if self._deadlines and self._deadlines[0][1].deadline <= now:
            self.expire(now)  # or a reply that comes before the next tick would be in time
        event = user.conversation.receive(payload, binary, now)
        if isinstance(event, str):
            self._records.stray[event] += 1
        elif event.whole:
            outcome = _OK if event.error is None else Outcome.FAILED
            self._end(user, event, now, outcome, event.error)
        elif event.previous:
            self._records.chunk_arrived(event)

    def abandon(self, user: User, error: str) -> None:
        """The connection of `user` is gone: what was under way failed."""
        user.is_ready = False
        now = _clock()
        for request in user.conversation.abandon():
            self._end(user, request, now, Outcome.FAILED, error)

    @property
    def last_deadline(self) -> int:
        """When the last of those that are waited for times out, monotonic ns; 0 when there is none."""
        return self._deadlines[-1][1].deadline if self._deadlines else 0

    def expire(self, now: int) -> None:
        """Time out what has waited too long; the deadlines are in order, since the time-out is constant."""
        deadlines = self._deadlines
        while deadlines and (deadlines[0][1].deadline <= now or deadlines[0][1].whole):
            user, request = deadlines.popleft()
            if user.conversation.give_up(request):
                self._end(user, request, request.deadline, Outcome.TIMED_OUT, "timeout")
        if len(deadlines) > 2 * self.under_way + _WORTH_SWEEPING:
            waiting = [entry for entry in deadlines if entry[0].conversation.awaits(entry[1])]
            self._deadlines = deque(waiting)  # behind one that takes long, many may have ended

    def _begin_turns(self, user: User, now: int) -> None:
        """The schedule of `user` begins, and is fixed from here on, also over the loss of its connection."""
        if user.begun:
            return
        user.begun = True
        if self._closed_model:
            self._agenda.at(now, partial(self._send, user))
        elif (turn := self._arrivals.first(user.index, now)) is not None:
            self._agenda.at(turn.due, partial(self._send_turn, user, turn))

    def _send_turn(self, user: User, turn: Turn, due: int) -> None:
        """The open model: the next turn is due whatever becomes of this one."""
        following = self._arrivals.next(user.index, turn)
        if following is not None:
            self._agenda.at(following.due, partial(self._send_turn, user, following))
        self._send(user, due)

    def _send(self, user: User, due: int) -> None:
        counted = self._phases.counts(due)
        conversation = user.conversation
        message_id = conversation.next_id()
        kind, payload, binary = self._script.compose(user.index, conversation.sequence, message_id)
        records = self._records
        records.message_due(kind, counted=counted)
        if (error := user.cannot_send) is not None:
            records.message_not_sent(kind, error, counted=counted)
        elif (error := self._held_back(user)) is not None:
            records.message_skipped(kind, error, due=due, counted=counted)
        else:
            now = _clock()
            request = Request(message_id, kind, counted, due, now, now + self._timeout)
            self._put(user, request, payload, binary)
            return
        self._go_on(user, due, least=LOST_USER_SECONDS)  # and tries again

    def _held_back(self, user: User) -> str | None:
        """Why a user who could send does not: somebody of flesh and blood would wait."""
        assert user.connection is not None
        if user.conversation.in_flight >= self._plan.max_in_flight:
            return "in_flight_limit"
        return "congested" if user.connection.is_congested else None

    def _put(self, user: User, request: Request, payload: bytes, binary: bool) -> None:
        """On the wire with it."""
        assert user.connection is not None
        self.under_way += 1
        user.conversation.begin(request)
        self._deadlines.append((user, request))
        user.connection.send(payload, binary)

    def _end(
        self, user: User, request: Request, now: int, outcome: Outcome, error: str | None = None
    ) -> None:
        """A message ended, however: write it down, and in the closed model the user goes on."""
        self.under_way -= 1
        self._records.message_ended(request, now, outcome, error)
        if request.kind == GREETING_KIND:
            user.is_ready = outcome is _OK
            self._begin_turns(user, now)
        else:
            self._go_on(user, request.scheduled)

    def _go_on(self, user: User, due: int, *, least: float = 0.0) -> None:
        """The closed model: the next message follows the end of this one, which was `due`."""
        if not self._closed_model or self._agenda.closed:
            return
        now = _clock()
        following = max(now + max(self._think(user), round(least * SECOND)), due + self._pacing)
        if following <= now:
            self._send(user, now)
        else:
            self._agenda.at(following, partial(self._send, user))

    def _think(self, user: User) -> int:
        plan = self._plan
        if not plan.think:
            return 0
        return think_ns(user.index, user.conversation.sequence, plan.think, plan.think_spread, plan.seed)


def _arrivals(plan: WebSocketPlan, phases: Phases) -> Arrivals:
    corners = [(point.at, point.rate) for point in plan.rate_profile] or [(0.0, plan.messages_per_second)]
    profile = RateProfile(corners, phases.start, phases.measure)
    return Arrivals(plan.users, profile, plan.arrivals == "poisson", plan.seed)
