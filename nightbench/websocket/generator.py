"""The WebSocket load generator: users on one event loop, paced by one clock.

It runs in a process of its own (see `nightbench.load.child`) and returns plain data.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import uvloop

from nightbench.load.agenda import Agenda
from nightbench.load.alarm import Alarm
from nightbench.load.health import BEAT_SECONDS, Health, HealthMonitor
from nightbench.load.phases import INTERRUPTED_DRAIN_SECONDS, SECOND, Phases
from nightbench.load.progress import OnProgress, Progress
from nightbench.load.shard import agreed_start
from nightbench.websocket.client import Endpoint
from nightbench.websocket.connections import Connections
from nightbench.websocket.messages import Messages
from nightbench.websocket.metrics import starvation
from nightbench.websocket.provisions import script_of
from nightbench.websocket.records import Records
from nightbench.websocket.result import WebSocketResult, WebSocketSpec
from nightbench.websocket.rules import compile_rules
from nightbench.websocket.user import User

_GRAIN_NS = 500_000
"""What is due within so short a time of what was done last is done together with it, so much later at most: to
wake up costs several times the CPU of a message, and matters above some 2,000 of them a second only."""

_BATCH = 256
"""How many actions that are due are done, some milliseconds, before the event loop looks for replies again."""
_BEHIND_SECONDS = 5.0
"""How late with its schedule a generator gives it up; what it has not come to by then only makes it later."""
_CATCHING_UP_SECONDS = 1.0
"""How often it is looked whether it catches up, as after it was frozen for longer than that."""
_BEHIND = "the generator fell behind its schedule: use a lower rate, more shards or a quieter machine"

_clock = time.perf_counter_ns


class Generator:
    """Runs one plan, or its shard of it, once."""

    def __init__(
        self, spec: WebSocketSpec, endpoint: Endpoint, on_progress: OnProgress, stop: threading.Event
    ) -> None:
        plan = spec.plan
        self._on_progress = on_progress
        self._stop = stop
        self._lost_after = round(plan.lost_after * SECOND)
        rules = compile_rules(plan.reply)
        self._predicate = rules.belongs
        script = script_of(plan, spec.run_id, spec.provisions)
        self._users = [User(index, spec.run_id, rules) for index in spec.shard.part(plan.users)]
        gc.collect()
        gc.freeze()
        self._started_at, start, self._late = agreed_start(spec.start_at)
        self._phases = Phases.plan(
            start,
            ramp=plan.ramp_seconds,
            warmup=plan.warmup,
            measure=plan.duration,
            # the last time-out is noticed by a tick after it
            drain=max(plan.timeout, plan.connect_timeout) + 2 * BEAT_SECONDS,
        )
        self._start = start
        # as planned: what is cut short moves no second of what was before
        self._measure = self._phases.measure
        self._records = Records(script.kinds, start)
        self._monitor = HealthMonitor()
        self._alarm = Alarm(self._ring)
        self._agenda = Agenda(self._wake_at)
        self._next_ring = start
        self._messages = Messages(plan, script, self._phases, self._agenda, self._records)
        self._connections = Connections(
            plan,
            endpoint,
            spec.provisions,
            users=self._users,
            agenda=self._agenda,
            records=self._records,
            messages=self._messages,
        )
        self._all_sent: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
        self._alone_since: int | None = None
        self._behind: tuple[int, int] | None = None  # when it was looked last, and how late it was then
        self._ended_before = 0
        self._given_up: str | None = None
        self._broken: Exception | None = None

    async def run(self) -> WebSocketResult:
        """Ramp up, warm up, measure, drain, disconnect."""
        asyncio.get_running_loop().set_exception_handler(self._on_error)
        ticker = asyncio.create_task(self._tick())
        try:
            self._agenda.at(self._phases.measure, lambda _due: self._monitor.begin())
            self._agenda.at(self._phases.drain, self._end_sending)  # before what is due at the same instant
            self._connections.enter(self._phases)
            either: list[asyncio.Future[Any]] = [self._all_sent, ticker]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if ticker.done():
                ticker.result()  # it never ends by itself: this raises what it died of
            health = await self._all_sent
            await self._drain(ticker)
        finally:
            ticker.cancel()
            self._alarm.close()
            self._monitor.stop()
            await self._connections.close()
        self._records.fold(self._measure)
        return self._result(health)

    def _result(self, health: Health) -> WebSocketResult:
        records = self._records
        times = records.times()
        return WebSocketResult(
            phases=self._phases.since(self._start),
            counted=records.counted,
            uncounted=records.uncounted,
            times=times,
            health=health,
            started_at=self._started_at,
            last_ok=max(0, records.last_ok - self._start),
            last_connected=records.last_connected,
            presence=records.presence,
            lost=records.lost,
            chunks=records.chunks,
            received=records.received,
            stray=records.stray,
            starved=(*self._late, *starvation(health, times)),
            given_up=self._given_up,
            predicate_failure=None if self._predicate is None else self._predicate.failure,
        )

    def _ring(self) -> None:
        """Something is due."""
        now = _clock()
        self._next_ring = now + _GRAIN_NS
        self._agenda.run_due(now, at_most=_BATCH)
        self._wake_at(self._agenda.next_due())

    def _wake_at(self, due: int | None) -> None:
        self._alarm.set(None if due is None else max(due, self._next_ring))

    def _end_sending(self, _due: int) -> None:
        """The measure phase is over; what was due in it has been sent, however late."""
        self._agenda.close()
        if not self._all_sent.done():
            self._all_sent.set_result(self._monitor.finish())

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error of ours in a callback, which an event loop would only log, ends the run; a broken socket does not."""
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self._broken = self._broken or error
            if not self._all_sent.done():
                self._all_sent.set_exception(error)
        else:
            loop.default_exception_handler(context)

    async def _drain(self, ticker: asyncio.Task[None]) -> None:
        """Wait for what is under way; it is told when an interruption did not let it come."""
        while _clock() < self._drained_by() and self._under_way():
            await asyncio.wait([ticker], timeout=BEAT_SECONDS)
            if ticker.done():
                ticker.result()
        if self._broken is not None:
            raise self._broken
        self._messages.expire(_clock())
        if self._given_up is None and self._stop.is_set() and self._under_way():
            self._given_up = "interrupted before the last replies came"

    def _drained_by(self) -> int:
        """What was sent late may be answered late, unless somebody wants the run to end."""
        if self._given_up is not None or self._stop.is_set():
            return self._phases.end
        return max(self._phases.end, self._messages.last_deadline)

    def _under_way(self) -> bool:
        return self._connections.opening or self._messages.under_way > 0

    async def _tick(self) -> None:
        """Housekeeping on a steady beat, whose lateness is the health of the event loop."""
        due = _clock() + round(BEAT_SECONDS * SECOND)
        report_due = self._start + SECOND
        while True:
            await asyncio.sleep(max(0, due - _clock()) / SECOND)
            now = _clock()
            due = self._monitor.tick(due, now)
            self._messages.expire(now)
            self._watch(now)
            if now >= report_due:
                report_due += SECOND
                self._records.fold(self._measure)
                self._report(now)
                if now < self._phases.measure:
                    gc.freeze()  # who has connected stays: looking at all of them again delays who connects next

    def _report(self, now: int) -> None:
        ended, self._ended_before = self._records.ended - self._ended_before, self._records.ended
        self._on_progress(
            Progress(
                suite="websocket",
                phase=self._phases.at(now),
                elapsed=(now - self._start) / SECOND,
                expected=self._phases.loaded_seconds,
                active=self._records.presence.active,
                rate=float(ended),
                p95_ms=self._records.p95_ms(),
                failed=self._records.failures,
            )
        )

    def _watch(self, now: int) -> None:
        """End early when asked to, when the subject is gone, or when the schedule is out of reach."""
        if self._agenda.closed:
            if self._stop.is_set():  # all has been sent: what may still come within the shorter time counts
                self._phases = self._phases.cut(now, drain=INTERRUPTED_DRAIN_SECONDS)
        elif self._stop.is_set():
            self._give_up(now, "interrupted")
        elif self._is_out_of_reach(now):
            self._give_up(now, _BEHIND)
        elif self._records.presence.all_lost:
            self._alone_since = self._alone_since or now
            if now - self._alone_since > self._lost_after:
                classes = ", ".join(error for error, _ in self._records.lost.most_common(3))
                self._give_up(now, f"the subject was lost: every connection ended ({classes})")
        else:
            self._alone_since = None

    def _is_out_of_reach(self, now: int) -> bool:
        """Whether what is due next is long over, and it does not get better."""
        late = now - (self._agenda.next_due() or now)
        if late <= _BEHIND_SECONDS * SECOND:
            self._behind = None
            return False
        looked, late_then = self._behind or (now, late)
        if now - looked >= _CATCHING_UP_SECONDS * SECOND:
            self._behind = now, late
            return late >= late_then
        self._behind = looked, late_then
        return False

    def _give_up(self, now: int, why: str) -> None:
        """End at the instant to which everything that was due has been done, which may be some time ago."""
        self._given_up = why
        reached = min(now, self._agenda.next_due() or now)
        self._agenda.run_due(reached)
        drain = (now - reached) / SECOND + INTERRUPTED_DRAIN_SECONDS
        self._phases = self._phases.cut(reached, drain=drain)
        self._end_sending(reached)


async def _run(spec: WebSocketSpec, on_progress: OnProgress, stop: threading.Event) -> WebSocketResult:
    plan = spec.plan
    endpoint = Endpoint.of(spec.url, tls=plan.tls, compression=plan.compression)
    await endpoint.addresses.resolve()
    return await Generator(spec, endpoint, on_progress, stop).run()


def run_generator(
    spec: WebSocketSpec,
    on_progress: OnProgress = lambda _progress: None,
    stop: threading.Event | None = None,
) -> WebSocketResult:
    """Run one generator in this process until its plan is done or `stop` is set.

    A plain function from a picklable spec to a picklable result: a child process, a process pool and a cluster
    run the same.
    """
    try:
        return uvloop.run(_run(spec, on_progress, stop or threading.Event()))
    finally:
        gc.unfreeze()  # where this process lives on, what the run left is garbage like any other
