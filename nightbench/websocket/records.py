"""The account and the times of a running WebSocket load test."""

from __future__ import annotations

from collections import Counter

from nightbench.load.ledger import Ledger, OperationCounts, Outcome
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline, Times
from nightbench.websocket.conversation import Request

CONNECTION = "connection"
MESSAGE = "message"


class Records:
    """Everything that is counted and timed; used by one thread."""

    def __init__(self) -> None:
        self._ledger = Ledger(CONNECTION, MESSAGE)
        self._connections = Timeline(
            ("scheduled", "sent", "last"),
            {"connection.time": ("sent", "last"), "connection.send_lag": ("scheduled", "sent")},
            by_second=("connection.time",),
        )
        self._failed_connections = Timeline(
            ("scheduled", "sent", "last"),
            {"connection.failure_time": ("sent", "last")},
            by_second=("connection.failure_time",),
        )
        quantities = {
            "message.response_time": ("scheduled", "last"),
            "message.service_time": ("sent", "last"),
            "message.send_lag": ("scheduled", "sent"),
            "message.first_chunk_time": ("sent", "first"),
        }
        self._messages = Timeline(("scheduled", "sent", "first", "last"), quantities, by_second=quantities)
        self._failed_messages = Timeline(
            ("scheduled", "sent", "last"),
            {"message.failure_time": ("sent", "last")},
            by_second=("message.failure_time",),
        )
        self.ended = 0
        self.last_ok = 0
        self.chunks = 0
        self.lost: Counter[str] = Counter()
        self.stray: Counter[str] = Counter()

    # the ramp makes the connections, so all of them count

    def connection_due(self) -> None:
        """A user is to connect."""
        self._ledger.counted[CONNECTION].schedule()

    def connection_opened(self, *, due: int, sent: int, now: int) -> None:
        """It is connected."""
        self._ledger.counted[CONNECTION].end(Outcome.OK)
        self._connections.record((due, sent, now))

    def connection_failed(self, error: str, *, due: int, sent: int, now: int) -> None:
        """It could not connect; a time-out took at least this long, so it belongs into the percentiles."""
        if error == "connect_timeout":
            self._ledger.counted[CONNECTION].end(Outcome.TIMED_OUT, error)
            self._connections.record((due, sent, now))
        else:
            self._ledger.counted[CONNECTION].end(Outcome.FAILED, error)
            self._failed_connections.record((due, sent, now))

    def connection_lost(self, error: str) -> None:
        """An open one ended before the run did."""
        self.lost[error] += 1

    def message_due(self, *, counted: bool) -> None:
        """A user is to send."""
        self._ledger.account(MESSAGE, counted=counted).schedule()

    def message_not_sent(self, error: str, *, counted: bool) -> None:
        """It was not sent, since there was no connection."""
        self._ledger.account(MESSAGE, counted=counted).end(Outcome.FAILED, error)

    def message_skipped(self, error: str, *, due: int, counted: bool) -> None:
        """It was held back: a user would have waited, and nobody knows how long."""
        self._ledger.account(MESSAGE, counted=counted).end(Outcome.SKIPPED, error)
        if counted:
            self._messages.record((due, NOT_REACHED, NOT_REACHED, NEVER))

    def message_ended(self, request: Request, now: int, outcome: Outcome, error: str | None = None) -> None:
        """Its reply is whole, failed or timed out."""
        self._ledger.account(MESSAGE, counted=request.counted).end(outcome, error)
        self.ended += 1
        if not request.counted:
            return
        if outcome is Outcome.FAILED:
            self._failed_messages.record((request.scheduled, request.sent, now))
            return
        if outcome is Outcome.OK:
            self.last_ok = max(self.last_ok, now)
            self.chunks += request.chunks
        self._messages.record((request.scheduled, request.sent, request.first or now, now))

    def fold(self, origin: int) -> None:
        """Move what was recorded into histograms; about once a second."""
        for timeline in self._timelines:
            timeline.fold(origin)

    @property
    def _timelines(self) -> tuple[Timeline, ...]:
        return (self._connections, self._failed_connections, self._messages, self._failed_messages)

    def times(self) -> tuple[Times, ...]:
        """All times that have been folded."""
        return tuple(timeline.times() for timeline in self._timelines)

    def p95_ms(self) -> float | None:
        """P95 response time so far, for display."""
        return self._messages.totals["message.response_time"].quantile_ms_of_any(0.95)

    @property
    def failures(self) -> int:
        """Failed, timed-out and skipped operations so far, of all phases."""
        return self._ledger.failures

    @property
    def counted(self) -> dict[str, OperationCounts]:
        """The accounts of connections and of the messages scheduled in the measure phase."""
        return self._ledger.counted

    @property
    def uncounted(self) -> dict[str, OperationCounts]:
        """The accounts of the messages of ramp and warm-up."""
        return self._ledger.uncounted
