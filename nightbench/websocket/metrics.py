"""From what the generator saw to the metrics of the WebSocket suite. Pure."""

from __future__ import annotations

from nightbench.measurement import (
    Metric,
    Validity,
    health_metrics,
    throughput,
    time_metrics,
    totals_of,
    validity_of,
)
from nightbench.websocket.generator import WebSocketResult
from nightbench.websocket.records import CONNECTION, MESSAGE

_OWN_LIMITS = ("connect_emfile", "connect_enfile", "connect_eaddrnotavail")
"""Failures of the generator's machine, which are no fault of the subject."""


def websocket_metrics(result: WebSocketResult) -> tuple[Metric, ...]:
    """Every metric of one run, in the order in which a reader asks for them."""
    connection, message = result.counted[CONNECTION], result.counted[MESSAGE]
    connecting = result.connecting_seconds
    return (
        Metric("connection.connected_users", result.connected_users, "1", connection.scheduled),
        Metric("connection.success_rate", connection.success_rate, "%", connection.scheduled),
        Metric(
            "connection.rate", connection.ok / connecting if connecting > 0 else None, "1/s", connection.ok
        ),
        Metric("connection.lost", result.lost.total(), "1", connection.ok),
        Metric("message.success_rate", message.success_rate, "%", message.scheduled),
        throughput(MESSAGE, message.ok, result.phases, last_ok=result.last_ok),
        Metric("message.chunks.mean", result.chunks / message.ok if message.ok else None, "1", message.ok),
        Metric("message.stray", result.stray.total(), "1", message.scheduled),
        *time_metrics(totals_of(result.times)),
        *health_metrics(result.health),
    )


def websocket_validity(result: WebSocketResult) -> Validity:
    """Whether the run can be trusted: see `validity_of`; and the machine must have let the users connect."""
    totals = totals_of(result.times)
    validity = validity_of(
        result.health,
        {"connects": totals["connection.send_lag"], "sends": totals["message.send_lag"]},
        result.counted,
        measured_seconds=result.phases.measured_seconds,
        given_up=result.given_up,
    )
    own_limits = sum(result.counted[CONNECTION].errors[error] for error in _OWN_LIMITS)
    if not own_limits:
        return validity
    reason = (
        f"{own_limits} connections failed for want of files or ports on this machine: "
        "raise `ulimit -n`, or use fewer users"
    )
    return validity.but(reason)
