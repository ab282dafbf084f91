"""The WebSocket load generator: users on one event loop, paced by one clock.

It runs in a process of its own (see `nightbench.load.child`) and returns plain data.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import uvloop

from nightbench.load.agenda import Agenda
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.ledger import OperationCounts, Outcome
from nightbench.load.phases import SECOND, Phases
from nightbench.load.progress import OnProgress, Progress
from nightbench.load.schedule import StaggeredSchedule, ramp_offset
from nightbench.load.timeline import Times
from nightbench.plan import WebSocketPlan
from nightbench.websocket.client import Connection, ConnectionFailedError, Endpoint
from nightbench.websocket.conversation import Completed, Conversation, Request, StrayMessage
from nightbench.websocket.records import Records

SUBJECT_LOST_SECONDS = 2.0
"""How long every user may be without a connection before the run is given up."""
INTERRUPTED_DRAIN_SECONDS = 2.0
LOST_USER_SECONDS = 0.1
"""The least that a user without a connection thinks: what fails at once must not be all that is done."""

_clock = time.perf_counter_ns


@dataclass(frozen=True)
class WebSocketSpec:
    """What one generator process is told; picklable."""

    plan: WebSocketPlan
    url: str = field(repr=False)  # may carry a token
    token: str | None = field(repr=False)
    run_id: str


@dataclass(frozen=True)
class WebSocketResult:
    """What one generator process saw; picklable.

    Attributes:
        started_at: Wall clock (UTC) at ``phases.start``.
        last_ended: When the last counted message ended, monotonic ns.
        connected_users: The most users connected at one instant.
        connecting_seconds: From the first connection due to the last one opened.
        chunks: Parts of counted replies before their last.
        stray: Messages that belonged to no awaited reply, by kind.
        given_up: Why the run ended before its plan did, or None.
    """

    phases: Phases
    counted: dict[str, OperationCounts]
    uncounted: dict[str, OperationCounts]
    times: tuple[Times, ...]
    health: Health
    started_at: datetime
    last_ended: int
    connected_users: int
    connecting_seconds: float
    chunks: int
    stray: Counter[str]
    given_up: str | None


class _User:
    """One simulated user: a connection, a conversation and a place in the schedule."""

    __slots__ = ("connection", "conversation", "index")

    def __init__(self, index: int, run_id: str) -> None:
        self.index = index
        self.conversation = Conversation(f"{run_id}-{index}")
        self.connection: Connection | None = None


class Generator:
    """Runs one plan once."""

    def __init__(self, spec: WebSocketSpec, on_progress: OnProgress, stop: threading.Event) -> None:
        plan = spec.plan
        self._plan = plan
        self._on_progress = on_progress
        self._stop = stop
        self._endpoint = Endpoint.of(spec.url, spec.token)
        self._users = [_User(index, spec.run_id) for index in range(plan.users)]
        gc.collect()
        gc.freeze()
        self._started_at = datetime.now(UTC)  # the one wall-clock anchor, beside the monotonic one
        self._phases = Phases.plan(
            _clock(),
            ramp=plan.ramp_seconds,
            warmup=plan.warmup,
            measure=plan.duration,
            drain=plan.timeout + 2 * BEAT_SECONDS,  # the last time-out is noticed by a tick after it
        )
        self._schedule = StaggeredSchedule(
            users=plan.users, rate=plan.messages_per_second, origin=self._phases.start
        )
        self._records = Records()
        self._monitor = HealthMonitor()
        self._agenda = Agenda()
        self._deadlines: deque[tuple[_User, Request]] = deque()
        self._connecting: set[asyncio.Task[None]] = set()
        self._connected = 0
        self._connected_most = 0
        self._last_opened = self._phases.start
        self._alone_since: int | None = None
        self._ended_before = 0
        self._given_up: str | None = None

    async def run(self) -> WebSocketResult:
        """Ramp up, warm up, measure, drain, disconnect."""
        for user in self._users:
            offset = ramp_offset(user.index, self._plan.users, self._phases.warmup - self._phases.start)
            self._agenda.at(self._phases.start + offset, partial(self._connect, user))
        ticker = asyncio.create_task(self._tick())
        try:
            health = await self._pace(ticker)
        finally:
            ticker.cancel()
            await self._disconnect()
        self._records.fold(self._phases.measure)
        return WebSocketResult(
            phases=self._phases,
            counted=self._records.counted,
            uncounted=self._records.uncounted,
            times=self._records.times(),
            health=health,
            started_at=self._started_at,
            last_ended=self._records.last_ended,
            connected_users=self._connected_most,
            connecting_seconds=(self._last_opened - self._phases.start) / SECOND,
            chunks=self._records.chunks,
            stray=self._records.stray,
            given_up=self._given_up,
        )

    # pacing

    async def _pace(self, ticker: asyncio.Task[None]) -> Health:
        """Do what is due until the measure phase is over, then wait for what is under way."""
        self._agenda.at(self._phases.measure, lambda _due: self._monitor.begin())
        while (now := _clock()) < self._phases.drain:
            self._agenda.run_due(now)
            if ticker.done():
                ticker.result()  # it never ends by itself: this raises what it died of
            due = self._agenda.next_due()
            wake = min(due if due is not None else self._phases.drain, self._phases.drain)
            await asyncio.sleep(max(0.0, min((wake - _clock()) / SECOND, BEAT_SECONDS)))
        self._agenda.run_due(self._phases.drain - 1)  # what a late wake-up left over was due all the same
        health = self._monitor.finish()
        await self._drain()
        self._expire(_clock())
        return health

    async def _drain(self) -> None:
        def under_way() -> bool:
            return bool(self._connecting) or any(user.conversation.in_flight for user in self._users)

        while _clock() < self._phases.end and under_way():  # noqa: ASYNC110  # ends at an instant, too
            await asyncio.sleep(BEAT_SECONDS)

    async def _tick(self) -> None:
        """Housekeeping on a steady beat, whose lateness is the health of the event loop."""
        due = _clock() + round(BEAT_SECONDS * SECOND)
        report_due = self._phases.start + SECOND
        while True:
            await asyncio.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            due = self._monitor.tick(due, now)
            self._expire(now)
            self._watch(now)
            if now >= report_due:
                report_due += SECOND
                self._records.fold(self._phases.measure)
                self._report(now)

    def _report(self, now: int) -> None:
        ended, self._ended_before = self._records.ended - self._ended_before, self._records.ended
        self._on_progress(
            Progress(
                suite="websocket",
                phase=self._phases.at(now),
                elapsed=(now - self._phases.start) / SECOND,
                expected=self._phases.loaded_seconds,
                active=self._connected,
                rate=float(ended),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures,
            )
        )

    def _watch(self, now: int) -> None:
        """End early when asked to, or when the subject is gone."""
        if self._given_up is not None or now >= self._phases.drain:
            return
        if self._stop.is_set():
            self._give_up(now, "interrupted")
        elif self._connected_most > 0 and self._connected == 0 and not self._connecting:
            self._alone_since = self._alone_since or now
            if now - self._alone_since > SUBJECT_LOST_SECONDS * SECOND:
                self._give_up(now, "the subject was lost: every connection ended")
        else:
            self._alone_since = None

    def _give_up(self, now: int, why: str) -> None:
        self._given_up = why
        self._agenda.run_due(now)
        self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        self._agenda.clear()

    # connections

    def _connect(self, user: _User, due: int) -> None:
        self._records.connection_due()
        task = asyncio.create_task(self._open(user, due))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open(self, user: _User, due: int) -> None:
        sent = _clock()
        connection = Connection(self._endpoint, partial(self._receive, user), partial(self._lose, user))
        try:
            await connection.open(within=self._plan.connect_timeout)
        except ConnectionFailedError as failure:
            self._records.connection_failed(failure.error, due=due, sent=sent, now=_clock())
            return
        except asyncio.CancelledError:
            self._records.connection_failed("cancelled", due=due, sent=sent, now=_clock())
            raise
        opened = _clock()
        self._records.connection_opened(due=due, sent=sent, now=opened)
        user.connection = connection
        self._connected += 1
        self._connected_most = max(self._connected_most, self._connected)
        self._last_opened = opened
        self._begin_schedule(user, opened)

    def _begin_schedule(self, user: _User, connected: int) -> None:
        if self._plan.model == "closed":
            self._agenda.at(connected, partial(self._send, user))
        else:
            turn, due = self._schedule.first(user.index, connected)
            self._agenda.at(due, partial(self._send_turn, user, turn))

    def _lose(self, user: _User, error: str) -> None:
        """The connection of `user` is gone: what was under way failed."""
        now = _clock()
        user.connection = None
        self._connected -= 1
        for request in user.conversation.abandon():
            self._end(user, request, now, Outcome.FAILED, error)

    async def _disconnect(self) -> None:
        for task in self._connecting:
            task.cancel()
        open_ones = [user.connection for user in self._users if user.connection is not None]
        await asyncio.gather(*self._connecting, *(c.close() for c in open_ones), return_exceptions=True)

    # messages

    def _send_turn(self, user: _User, turn: int, due: int) -> None:
        """The open model: the next turn is due whatever becomes of this one."""
        following, next_due = self._schedule.next(user.index, turn)
        self._agenda.at(next_due, partial(self._send_turn, user, following))
        self._send(user, due)

    def _send(self, user: _User, due: int) -> None:
        counted = self._phases.counts(due)
        self._records.message_due(counted=counted)
        connection = user.connection
        if connection is None or not connection.is_open:
            self._records.message_not_sent(Outcome.FAILED, "not_connected", counted=counted)
            self._go_on(user, least=LOST_USER_SECONDS)  # and tries again, in vain
            return
        if user.conversation.in_flight >= self._plan.max_in_flight:
            self._records.message_not_sent(Outcome.SKIPPED, "in_flight_limit", counted=counted)
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

    def _receive(self, user: _User, text: bytes) -> None:
        now = _clock()
        match user.conversation.receive(text, now):
            case Completed(request, None):
                self._end(user, request, now, Outcome.OK)
            case Completed(request, error):
                self._end(user, request, now, Outcome.FAILED, error)
            case StrayMessage(kind):
                self._records.stray[kind] += 1

    def _end(
        self, user: _User, request: Request, now: int, outcome: Outcome, error: str | None = None
    ) -> None:
        """A message ended, however: write it down, and in the closed model the user goes on."""
        self._records.message_ended(request, now, outcome, error)
        self._go_on(user)

    def _go_on(self, user: _User, *, least: float = 0.0) -> None:
        """The closed model: the next message follows the end of this one, after `least` seconds of thinking."""
        if self._plan.model == "closed":
            think = max(self._plan.think, least)
            self._agenda.at(_clock() + round(think * SECOND), partial(self._send, user))

    def _expire(self, now: int) -> None:
        """Time out what has waited too long; the deadlines are in order, since the time-out is constant."""
        while self._deadlines and self._deadlines[0][1].deadline <= now:
            user, request = self._deadlines.popleft()
            if user.conversation.time_out(request):
                self._end(user, request, request.deadline, Outcome.TIMED_OUT, "timeout")


def run_generator(spec: WebSocketSpec, on_progress: OnProgress, stop: threading.Event) -> WebSocketResult:
    """Run one generator in this process until its plan is done or `stop` is set."""
    return uvloop.run(Generator(spec, on_progress, stop).run())
