"""Synthetic measurements and verdicts for the tests of everything behind the load tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from nightbench.load.histogram import Histogram, encode_counts
from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Measurement, Metric, Validity, Window, statistics
from nightbench.plan import Suite, Tier
from nightbench.tiers import TIERS
from nightbench.verdict.judgement import Verdict
from nightbench.verdict.targets import judge_targets
from nightbench.verdict.verdict import SuiteVerdict

START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
STATEMENTS = ("profile", "expense_listing", "budget_utilisation", "conversation_history", "expense_insert")

HOST: dict[str, Any] = {
    "cpu": "Example CPU @ 3.0 GHz",
    "cores": 2,
    "packages": {"nightbench": "0.1.0", "prefect": "3.8.8"},
}


@cache
def histogram(median_ms: float, n: int, seed: int = 1) -> Histogram:
    """`n` log-normal durations around a median; every test has the same, to look at alone."""
    values = np.random.default_rng(seed).lognormal(np.log(median_ms * 1e6), 0.4, n).astype(np.int64)
    found = Histogram()
    found.add(values)
    return found


@cache  # most tests build the same runs
def windows(
    operation: str, quantity: str, *, seconds: int, rate: int, median_ms: float
) -> tuple[Window, ...]:
    """One window a second of `rate` samples each."""
    counts = [histogram(median_ms, rate, seed=second).counts for second in range(seconds)]
    return tuple(
        Window(second, 1, operation, quantity, rate, encode_counts(np.flatnonzero(each), each[each > 0]))
        for second, each in enumerate(counts)
    )


def websocket_measurement(
    *, number: int = 0, tier: Tier = "full", median_ms: float = 20.0, users: int | None = None, **changes: Any
) -> Measurement:
    """A WebSocket run that met its targets; run `number` starts that many days after the first."""
    plan = TIERS[tier].websocket
    plan = plan if users is None else plan.model_copy(update={"users": users})
    connected, messages = plan.users, 400
    metrics = (
        *statistics("connection.time", histogram(3, connected, seed=7)),
        Metric("connection.success_rate", 100.0, "%", connected),
        Metric("connection.connected_users", float(connected), "1", connected),
        Metric("connection.rate", 50.0, "1/s", connected),
        *statistics("message.response_time", histogram(median_ms, messages)),
        *statistics("message.service_time", histogram(median_ms * 0.9, messages)),
        *statistics("message.send_lag", histogram(0.2, messages)),
        *statistics("message.first_chunk_time", histogram(median_ms * 0.4, messages)),
        Metric("message.success_rate", 99.5, "%", messages),
        Metric("message.throughput", 49.75, "1/s", messages),
        Metric("generator.cpu_seconds", 2.345, "s", 1),
        Metric("generator.tick_lag.p99", 0.421, "ms", 160),
    )
    operations = {
        "connection": OperationCounts(scheduled=connected, ok=connected),
        "message": OperationCounts(
            scheduled=messages,
            ok=messages - 2,
            failed=1,
            timed_out=1,
            errors=Counter(reply_timeout=1, close_1011=1),
        ),
    }
    measurement = Measurement(
        run_id=_run_id(number, tier, "websocket"),
        night_id=_night_id(number),
        suite="websocket",
        tier=tier,
        environment="local",
        started_at=START + timedelta(days=number),
        duration=8.0,
        plan=plan,
        subject={"kind": "embedded", "url": "ws://127.0.0.1:40123/api/v1/pam"},
        host=HOST,
        validity=Validity(),
        operations=operations,
        uncounted={"connection": OperationCounts(), "message": OperationCounts(scheduled=50, ok=50)},
        metrics=metrics,
        windows=windows("message", "response_time", seconds=8, rate=50, median_ms=median_ms),
        details={"sent_bytes": 65_536},
    )
    return replace(measurement, **changes)


def database_measurement(
    *, number: int = 0, tier: Tier = "full", median_ms: float = 4.0, leaked_rows: int = 0, **changes: Any
) -> Measurement:
    """A database run that met its targets, unless rows leaked."""
    queries = 1600
    metrics = (
        *statistics("query.response_time", histogram(median_ms, queries)),
        *statistics("query.service_time", histogram(median_ms * 0.8, queries)),
        Metric("query.success_rate", 99.9375, "%", queries),
        Metric("query.throughput", 199.8, "1/s", queries),
        Metric("query.leaked_rows", float(leaked_rows), "1", queries),
        Metric("query.response_time.growth", 3.25, "%", queries),
        Metric("query.throughput.decline", 1.5, "%", 20),
        *statistics("pool.wait", histogram(0.05, queries)),
        Metric("pool.size", 20.0, "1", 1),
        Metric("pool.overflow", 0.0, "1", 1),
        *(
            metric
            for place, name in enumerate(STATEMENTS)
            for metric in statistics(f"query[{name}].execute_time", histogram(1 + place, 60 + 80 * place))
        ),
        Metric("generator.cpu_seconds", 3.21, "s", 1),
    )
    operations = {
        "query": OperationCounts(
            scheduled=queries, ok=queries - 1, failed=1, errors=Counter(sqlstate_57014=1)
        )
    }
    measurement = Measurement(
        run_id=_run_id(number, tier, "database"),
        night_id=_night_id(number),
        suite="database",
        tier=tier,
        environment="local",
        started_at=START + timedelta(days=number),
        duration=8.0,
        plan=TIERS[tier].database,
        subject={"kind": "embedded", "version": "PostgreSQL 18.6"},
        host=HOST,
        validity=Validity(),
        operations=operations,
        uncounted={"query": OperationCounts(scheduled=200, ok=200)},
        metrics=metrics,
        windows=windows("query", "response_time", seconds=8, rate=200, median_ms=median_ms),
        details={"attempts": 1603},
    )
    return replace(measurement, **changes)


def with_metric(measurement: Measurement, name: str, value: float | None) -> Measurement:
    """The measurement with another value for one of its metrics."""
    metrics = tuple(replace(item, value=value) if item.name == name else item for item in measurement.metrics)
    return replace(measurement, metrics=metrics)


def invalidated(measurement: Measurement, *reasons: str, complete: bool | None = None) -> Measurement:
    """The measurement with further reasons not to trust it."""
    validity = Validity(
        (*measurement.validity.reasons, *reasons),
        measurement.validity.complete if complete is None else complete,
    )
    return replace(measurement, validity=validity)


def verdict_of(measurement: Measurement, judged: Verdict | None = None) -> SuiteVerdict:
    """The measurement with its targets judged, and as it compares with earlier nights."""
    targets = judge_targets(measurement.plan.promises, measurement)
    return SuiteVerdict(measurement, targets, judged=judged)


def _run_id(number: int, tier: Tier, suite: Suite) -> str:
    return f"{START + timedelta(days=number):%Y%m%dT%H%M%SZ}-{tier}-{suite}-{number:06x}"


def _night_id(number: int) -> str:
    return f"{START + timedelta(days=number):%Y%m%dT%H%M%SZ}-nightly-{number:06x}"
