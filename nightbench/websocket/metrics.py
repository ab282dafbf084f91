"""From what the generator saw to the metrics of the WebSocket suite. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import Phases
from nightbench.load.timeline import Times
from nightbench.measurement import (
    Metric,
    Validity,
    health_metrics,
    throughput,
    time_metrics,
    totals_of,
    validity_of,
    with_a_sample,
)
from nightbench.plan import WebSocketPlan
from nightbench.websocket.records import CONNECTION, GREETING, MESSAGE, RECONNECTION, Records
from nightbench.websocket.result import WebSocketResult
from nightbench.websocket.script import DEFAULT_KIND

_OWN_LIMITS = ("connect_emfile", "connect_enfile", "connect_eaddrnotavail")
"""Failures of the generator's machine, which are no fault of the subject."""

_OF_TLS = (f"{CONNECTION}.tls_time.", f"{RECONNECTION}.tls_time.")

_ALWAYS = (
    "connection.time",
    "connection.send_lag",
    "message.response_time",
    "message.service_time",
    "message.send_lag",
    "message.first_chunk_time",
)
"""Quantities that are missing, and not merely left out, when there is no sample of them."""


def websocket_metrics(result: WebSocketResult) -> tuple[Metric, ...]:
    """Every metric of one run, in the order in which a reader asks for them."""
    connection, message = result.counted[CONNECTION], result.counted[MESSAGE]
    connecting = result.connecting_seconds
    everything = message + result.uncounted[MESSAGE]
    return (
        Metric("connection.connected_users", result.presence.most, "1", connection.scheduled),
        Metric("connection.success_rate", connection.success_rate, "%", connection.scheduled),
        Metric(
            "connection.rate", connection.ok / connecting if connecting > 0 else None, "1/s", connection.ok
        ),
        Metric("connection.lost", result.lost.total(), "1", connection.ok),
        *_reconnection(result.counted[RECONNECTION]),
        *_greeting(result.counted[GREETING]),
        Metric("message.success_rate", message.success_rate, "%", message.scheduled),
        throughput(MESSAGE, message.ok, result.phases, last_ok=result.last_ok),
        Metric("message.chunks.mean", result.chunks.mean, "1", result.chunks.n),
        Metric("message.chunks.max", result.chunks.largest, "1", result.chunks.n),
        Metric("message.reply_bytes.mean", result.received.mean, "B", result.received.n),
        Metric("message.reply_bytes.max", result.received.largest, "B", result.received.n),
        Metric("message.stray", result.stray.total(), "1", everything.scheduled),
        *_by_kind(result),
        *time_metrics(_worth_telling(totals_of(result.times))),
        *health_metrics(result.health),
    )


def metric_names(plan: WebSocketPlan, *, secure: bool = True) -> frozenset[str]:
    """What `websocket_metrics` would name after a run of `plan` in which all happened that can.

    Args:
        plan: As it is run.
        secure: Whether the address is one of wss://.
    """
    records = Records([kind.name for kind in plan.messages] or [DEFAULT_KIND], 0)
    some = OperationCounts(scheduled=1, ok=1)
    everything = WebSocketResult(
        phases=Phases.plan(0, ramp=1, warmup=1, measure=1, drain=1),
        counted=dict.fromkeys(records.counted, some),
        uncounted=dict.fromkeys(records.uncounted, some),
        times=with_a_sample(records.times()),
        health=Health(0.0, 0.0, Histogram(), 0.0, 0, 0.0),
        started_at=datetime.now(UTC),
        last_ok=1,
        last_connected=1,
        presence=records.presence,
        lost=records.lost,
        chunks=records.chunks,
        received=records.received,
        stray=records.stray,
        starved=(),
        given_up=None,
    )
    never = {
        operation
        for operation, happens in ((GREETING, plan.greeting is not None), (RECONNECTION, plan.reconnect))
        if not happens
    }
    names = (metric.name for metric in websocket_metrics(everything))
    return frozenset(
        name
        for name in names
        if name.partition(".")[0] not in never and (secure or not name.startswith(_OF_TLS))
    )


def _reconnection(counts: OperationCounts) -> tuple[Metric, ...]:
    if not counts.scheduled:
        return ()
    return (
        Metric("reconnection.attempts", counts.scheduled, "1", counts.scheduled),
        Metric("reconnection.success_rate", counts.success_rate, "%", counts.scheduled),
    )


def _greeting(counts: OperationCounts) -> tuple[Metric, ...]:
    if not counts.scheduled:
        return ()
    return (Metric("greeting.success_rate", counts.success_rate, "%", counts.scheduled),)


def _by_kind(result: WebSocketResult) -> Iterable[Metric]:
    for operation, counts in result.counted.items():
        if operation.startswith(f"{MESSAGE}["):
            yield Metric(f"{operation}.success_rate", counts.success_rate, "%", counts.scheduled)
            yield throughput(operation, counts.ok, result.phases, last_ok=result.last_ok)


def _worth_telling(totals: Mapping[str, Histogram]) -> dict[str, Histogram]:
    return {name: histogram for name, histogram in totals.items() if histogram.total or name in _ALWAYS}


def starvation(health: Health, times: Iterable[Times]) -> tuple[str, ...]:
    """Why what one generator measured cannot be trusted: see `Health.reasons`."""
    totals = totals_of(times)
    return health.reasons({"connects": totals["connection.send_lag"], "sends": totals["message.send_lag"]})


def websocket_validity(result: WebSocketResult) -> Validity:
    """Whether the run can be trusted: see `validity_of`; the machine must have let the users connect,
    and the plan's predicate must have told whose each reply is.
    """
    validity = validity_of(
        result.starved or starvation(result.health, result.times),  # what shards were late with may add up
        result.counted,
        measured_seconds=result.phases.measured_seconds,
        given_up=result.given_up,
    )
    for reason in (*_own_limits(result), *_misjudged(result)):
        validity = validity.but(reason)
    return validity


def _own_limits(result: WebSocketResult) -> Iterator[str]:
    failed = sum(
        result.counted[operation].errors[error]
        for operation in (CONNECTION, RECONNECTION)
        for error in _OWN_LIMITS
    )
    if failed:
        yield (
            f"{failed} connections failed for want of files or ports on this machine: "
            "raise `ulimit -n`, or use fewer users"
        )


def _misjudged(result: WebSocketResult) -> Iterator[str]:
    """What the user's predicate could not tell may have been good replies."""
    if result.predicate_failure is not None:
        yield (
            f"reply.predicate failed for {result.stray['predicate_failed']} messages, at first it "
            f"{result.predicate_failure}: it has to answer True or False to whatever the subject sends"
        )
