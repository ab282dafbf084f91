"""The account and the times of a running WebSocket load test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nightbench.load.ledger import Ledger, OperationCounts, Outcome
from nightbench.load.timeline import NEVER, NOT_REACHED, Timeline, Times
from nightbench.websocket.client import Connection
from nightbench.websocket.conversation import Request
from nightbench.websocket.presence import Presence
from nightbench.websocket.sizes import Sizes

CONNECTION = "connection"
RECONNECTION = "reconnection"
MESSAGE = "message"
GREETING = "greeting"
GREETING_KIND = -1
"""The kind of a greeting, which is no message: it has an account and times of its own."""

_OK = Outcome.OK  # reading a member of an enum costs as much as a count
_CONNECTING = ("scheduled", "sent", "tcp", "greeted", "secured", "last")


def message_of(kind: str) -> str:
    """The name of the account of one kind of messages."""
    return f"{MESSAGE}[{kind}]"


class Records:
    """Everything that is counted and timed; used by one thread.

    Args:
        kinds: The kinds of messages; they are told apart where there are several.
        start: Monotonic ns at which the load test began; instants of `presence` are counted from it.
    """

    def __init__(self, kinds: Sequence[str], start: int) -> None:
        self._start = start
        self._kinds = tuple(message_of(kind) for kind in kinds) if len(kinds) > 1 else ()
        self._ledger = Ledger(CONNECTION, RECONNECTION, GREETING, MESSAGE, *self._kinds)
        self._connects = {
            operation: Timeline(
                _CONNECTING,
                {
                    f"{operation}.time": ("sent", "last"),
                    f"{operation}.tcp_time": ("sent", "tcp"),
                    f"{operation}.tls_time": ("greeted", "secured"),
                    f"{operation}.upgrade_time": ("secured", "last"),
                    f"{operation}.send_lag": ("scheduled", "sent"),
                },
                by_second=(f"{operation}.time",),
            )
            for operation in (CONNECTION, RECONNECTION)
        }
        self._failed_connects = {operation: _failures(operation) for operation in (CONNECTION, RECONNECTION)}
        self._downtimes = Timeline(
            ("lost", "opened"), {"connection.downtime": ("lost", "opened")}, by_second=()
        )
        self._messages = Timeline(
            ("scheduled", "sent", "first", "latest", "last"),
            {
                "message.response_time": ("scheduled", "last"),
                "message.service_time": ("sent", "last"),
                "message.send_lag": ("scheduled", "sent"),
                "message.first_chunk_time": ("sent", "first"),
                "message.last_chunk_time": ("sent", "latest"),
            },
            by_second=("message.response_time", "message.send_lag", "message.first_chunk_time"),
        )
        self._gaps = Timeline(
            ("previous", "latest"), {"message.chunk_gap": ("previous", "latest")}, by_second=()
        )
        self._failed_messages = _failures(MESSAGE)
        self._greetings = Timeline(("sent", "last"), {"greeting.time": ("sent", "last")}, by_second=())
        self._failed_greetings = _failures(GREETING)
        self._by_kind = [
            Timeline(
                ("scheduled", "sent", "last"),
                {
                    f"{kind}.response_time": ("scheduled", "last"),
                    f"{kind}.service_time": ("sent", "last"),
                },
                by_second=(),
            )
            for kind in self._kinds
        ]
        # made once, since they are looked up for every message
        self._accounts = [self._accounts_of(self._ledger.uncounted), self._accounts_of(self._ledger.counted)]
        self.ended = 0
        self.last_ok = 0
        self.last_connected = 0
        self.presence = Presence()
        self.chunks = Sizes()
        self.received = Sizes()
        self.lost: Counter[str] = Counter()
        self.stray: Counter[str] = Counter()

    # the ramp makes the connections, so all of them count, and so do their greetings

    def connection_due(self, operation: str) -> None:
        """A user is to connect, for the first time or again."""
        self._ledger.counted[operation].schedule()

    def connection_opened(self, operation: str, connection: Connection, *, due: int, sent: int) -> None:
        """It is connected, and knows itself when it came how far."""
        self._ledger.counted[operation].end(Outcome.OK)
        tcp, secured, opened = connection.tcp_at, connection.tls_at, connection.opened_at
        greeted = tcp if secured > tcp else NOT_REACHED  # no TLS, no time that it took
        self._connects[operation].record((due, sent, tcp, greeted, secured, opened))
        self.presence.open(opened - self._start)
        if operation == CONNECTION:
            self.last_connected = max(self.last_connected, opened - self._start)

    def connection_failed(self, operation: str, error: str, *, due: int, sent: int, now: int) -> None:
        """It could not connect; a time-out took at least this long, so it belongs into the percentiles."""
        if error == "connect_timeout":
            self._ledger.counted[operation].end(Outcome.TIMED_OUT, error)
            self._connects[operation].record((due, sent, NOT_REACHED, NOT_REACHED, NOT_REACHED, now))
        else:
            self._ledger.counted[operation].end(Outcome.FAILED, error)
            self._failed_connects[operation].record((due, sent, now))

    def connection_lost(self, error: str, now: int) -> None:
        """An open one ended before the run did."""
        self.lost[error] += 1
        self.presence.lose(now - self._start)

    def connection_regained(self, *, lost: int, opened: int) -> None:
        """A user that lost its connection has one again."""
        self._downtimes.record((lost, opened))

    def message_due(self, kind: int, *, counted: bool) -> None:
        """A user is to send."""
        for account in self._accounts[counted][kind]:
            account.schedule()

    def message_not_sent(self, kind: int, error: str, *, counted: bool) -> None:
        """It was not sent, since there was no connection."""
        self._end(kind, Outcome.FAILED, error, counted=counted)

    def message_skipped(self, kind: int, error: str, *, due: int, counted: bool) -> None:
        """It was held back: a user would have waited, and nobody knows how long."""
        self._end(kind, Outcome.SKIPPED, error, counted=counted)
        if counted:
            self._messages.record((due, NOT_REACHED, NOT_REACHED, NOT_REACHED, NEVER))
            if self._by_kind:
                self._by_kind[kind].record((due, NOT_REACHED, NEVER))

    def chunk_arrived(self, request: Request) -> None:
        """A part of a reply that is not its first and not its end."""
        if request.counted and request.kind != GREETING_KIND:
            self._gaps.record((request.previous, request.latest))

    def message_ended(self, request: Request, now: int, outcome: Outcome, error: str | None = None) -> None:
        """Its reply is whole, failed or timed out."""
        kind = request.kind
        self._end(kind, outcome, error, counted=request.counted)
        self.ended += 1
        if not request.counted:
            return
        if kind == GREETING_KIND:
            self._greeted(request, now, outcome)
            return
        scheduled, sent = request.scheduled, request.sent
        if outcome is _OK:
            self.last_ok = max(self.last_ok, now)
            self.chunks.add(request.chunks)
            self.received.add(request.received)
            self._messages.record((scheduled, sent, request.first, request.latest, now))
        elif outcome is Outcome.FAILED:
            self._failed_messages.record((scheduled, sent, now))
            return
        else:  # what of the reply has not come by then took at least as long
            self._messages.record((scheduled, sent, request.first or now, now, now))
        if self._by_kind:
            self._by_kind[kind].record((scheduled, sent, now))

    def _greeted(self, request: Request, now: int, outcome: Outcome) -> None:
        if outcome is Outcome.FAILED:
            self._failed_greetings.record((request.scheduled, request.sent, now))
        else:
            self._greetings.record((request.sent, now))

    def _end(self, kind: int, outcome: Outcome, error: str | None, *, counted: bool) -> None:
        for account in self._accounts[counted][kind]:
            account.end(outcome, error)

    def _accounts_of(self, accounts: dict[str, OperationCounts]) -> list[tuple[OperationCounts, ...]]:
        """The accounts of a message by its kind; the last ones are those of a greeting, at `GREETING_KIND`."""
        whole = accounts[MESSAGE]
        kinds: list[tuple[OperationCounts, ...]] = [(whole, accounts[kind]) for kind in self._kinds]
        return [*(kinds or [(whole,)]), (accounts[GREETING],)]

    def fold(self, origin: int) -> None:
        """Move what was recorded into histograms; about once a second."""
        for timeline in self._timelines:
            timeline.fold(origin)

    @property
    def _timelines(self) -> tuple[Timeline, ...]:
        return (
            *self._connects.values(),
            *self._failed_connects.values(),
            self._downtimes,
            self._messages,
            self._gaps,
            self._failed_messages,
            self._greetings,
            self._failed_greetings,
            *self._by_kind,
        )

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


def _failures(operation: str) -> Timeline:
    quantity = f"{operation}.failure_time"
    return Timeline(("scheduled", "sent", "last"), {quantity: ("sent", "last")}, by_second=(quantity,))
