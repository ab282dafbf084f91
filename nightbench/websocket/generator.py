"""The WebSocket load generator: users on one event loop, paced by one clock.

It runs in a process of its own (see `nightbench.load.child`) and returns plain data.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvloop

from nightbench.load.agenda import Agenda
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import INTERRUPTED_DRAIN_SECONDS, SECOND, Phases
from nightbench.load.progress import OnProgress, Progress
from nightbench.load.timeline import Times
from nightbench.plan import WebSocketPlan
from nightbench.websocket.client import Endpoint
from nightbench.websocket.connections import Connections
from nightbench.websocket.messages import Messages, User
from nightbench.websocket.records import Records

SUBJECT_LOST_SECONDS = 2.0
"""How long every user may be without a connection before the run is given up."""

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
        last_ok: When the last counted message that ended well did, monotonic ns; 0 when none has.
        connected_users: The most users connected at one instant.
        connecting_seconds: From the first connection due to the last one opened.
        lost: Connections that ended before the run did, by class.
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
    last_ok: int
    connected_users: int
    connecting_seconds: float
    lost: Counter[str]
    chunks: int
    stray: Counter[str]
    given_up: str | None


class Generator:
    """Runs one plan once."""

    def __init__(self, spec: WebSocketSpec, on_progress: OnProgress, stop: threading.Event) -> None:
        plan = spec.plan
        self._on_progress = on_progress
        self._stop = stop
        self._users = [User(index, spec.run_id) for index in range(plan.users)]
        endpoint = Endpoint.of(spec.url, spec.token)
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
        self._records = Records()
        self._monitor = HealthMonitor()
        self._agenda = Agenda()
        self._messages = Messages(plan, self._phases, self._agenda, self._records)
        self._connections = Connections(plan, endpoint, self._users, self._records, self._messages)
        self._alone_since: int | None = None
        self._ended_before = 0
        self._given_up: str | None = None

    async def run(self) -> WebSocketResult:
        """Ramp up, warm up, measure, drain, disconnect."""
        start = self._phases.start
        self._connections.enter(self._agenda, self._phases)
        ticker = asyncio.create_task(self._tick())
        try:
            health = await self._pace(ticker)
        finally:
            ticker.cancel()
            await self._connections.close()
        self._records.fold(self._phases.measure)
        return WebSocketResult(
            phases=self._phases,
            counted=self._records.counted,
            uncounted=self._records.uncounted,
            times=self._records.times(),
            health=health,
            started_at=self._started_at,
            last_ok=self._records.last_ok,
            connected_users=self._connections.most,
            connecting_seconds=((self._connections.last_opened or start) - start) / SECOND,
            lost=self._records.lost,
            chunks=self._records.chunks,
            stray=self._records.stray,
            given_up=self._given_up,
        )

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
        return health

    async def _drain(self) -> None:
        """Wait for what is under way; it is told when an interruption did not let it come."""
        while _clock() < self._drained_by() and self._under_way():  # noqa: ASYNC110  # ends at an instant, too
            await asyncio.sleep(BEAT_SECONDS)
        self._messages.expire(_clock())
        if self._given_up is None and self._stop.is_set() and self._under_way():
            self._given_up = "interrupted before the last replies came"

    def _drained_by(self) -> int:
        """What was sent late may be answered late, unless somebody wants the run to end."""
        if self._given_up is not None or self._stop.is_set():
            return self._phases.end
        return max(self._phases.end, self._messages.last_deadline)

    def _under_way(self) -> bool:
        return self._connections.opening or any(user.conversation.in_flight for user in self._users)

    async def _tick(self) -> None:
        """Housekeeping on a steady beat, whose lateness is the health of the event loop."""
        due = _clock() + round(BEAT_SECONDS * SECOND)
        report_due = self._phases.start + SECOND
        while True:
            await asyncio.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            due = self._monitor.tick(due, now)
            self._messages.expire(now)
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
                active=self._connections.active,
                rate=float(ended),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures,
            )
        )

    def _watch(self, now: int) -> None:
        """End early when asked to, or when the subject is gone."""
        if now >= self._phases.drain:
            if self._stop.is_set():  # all has been sent: what may still come within the shorter time counts
                self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        elif self._stop.is_set():
            self._give_up(now, "interrupted")
        elif self._connections.all_lost:
            self._alone_since = self._alone_since or now
            if now - self._alone_since > SUBJECT_LOST_SECONDS * SECOND:
                classes = ", ".join(error for error, _ in self._records.lost.most_common(3))
                self._give_up(now, f"the subject was lost: every connection ended ({classes})")
        else:
            self._alone_since = None

    def _give_up(self, now: int, why: str) -> None:
        self._given_up = why
        self._agenda.run_due(now)
        self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        self._agenda.clear()


def run_generator(spec: WebSocketSpec, on_progress: OnProgress, stop: threading.Event) -> WebSocketResult:
    """Run one generator in this process until its plan is done or `stop` is set."""
    return uvloop.run(Generator(spec, on_progress, stop).run())
