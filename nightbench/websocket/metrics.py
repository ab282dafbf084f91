"""From what the generator saw to the metrics of the WebSocket suite. Pure."""

from __future__ import annotations

from itertools import chain

from nightbench.load.histogram import Histogram
from nightbench.measurement import Metric, Validity, health_metrics, statistics
from nightbench.websocket.generator import WebSocketResult
from nightbench.websocket.records import CONNECTION, MESSAGE


def websocket_metrics(result: WebSocketResult) -> tuple[Metric, ...]:
    """Every metric of one run, in the order in which a reader asks for them."""
    connection, message = result.counted[CONNECTION], result.counted[MESSAGE]
    seconds = result.phases.measured_seconds
    connecting = result.connecting_seconds
    times = chain.from_iterable(
        statistics(name, histogram)
        for name, histogram in _totals(result).items()
        if histogram.n or not name.endswith("failure_time")
    )
    return (
        Metric("connection.connected_users", result.connected_users, "1", connection.scheduled),
        Metric("connection.success_rate", connection.success_rate, "%", connection.scheduled),
        Metric(
            "connection.rate", connection.ok / connecting if connecting > 0 else None, "1/s", connection.ok
        ),
        Metric("message.success_rate", message.success_rate, "%", message.scheduled),
        Metric("message.throughput", message.ok / seconds if seconds > 0 else None, "1/s", message.ok),
        Metric("message.chunks.mean", result.chunks / message.ok if message.ok else None, "1", message.ok),
        Metric("message.stray", result.stray.total(), "1", message.scheduled),
        *times,
        *health_metrics(result.health),
    )


def websocket_validity(result: WebSocketResult) -> Validity:
    """Whether the run can be trusted: it must be complete, and its generator must have kept up."""
    reasons = result.health.reasons(_totals(result)[f"{MESSAGE}.send_lag"])
    if result.given_up is None:
        return Validity(reasons)
    incomplete = f"incomplete after {result.phases.measured_seconds:.1f} s of measuring: {result.given_up}"
    return Validity((incomplete, *reasons), complete=False)


def _totals(result: WebSocketResult) -> dict[str, Histogram]:
    return {name: histogram for times in result.times for name, histogram in times.totals.items()}
