"""From what the generator saw to the metrics of the database suite. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from nightbench.database.degradation import certain_growth
from nightbench.database.generator import DatabaseResult
from nightbench.database.records import QUERY, Records
from nightbench.database.session import PoolCounts
from nightbench.database.workload import PAM_MIX
from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.phases import Phases
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


def database_metrics(result: DatabaseResult) -> tuple[Metric, ...]:
    """Every metric of one run, in the order in which a reader asks for them."""
    query = result.counted[QUERY]
    executed = query.scheduled - query.skipped
    return (
        Metric("query.success_rate", query.success_rate, "%", query.scheduled),
        throughput(QUERY, query.ok, result.phases, last_ok=result.last_ok),
        Metric("query.leaked_rows", result.leaked, "1", executed),
        Metric("query.retries", result.retries, "1", executed),
        Metric(
            "query.response_time.growth",
            certain_growth(result.segment_ms),
            "%",
            len(result.segment_ms),
        ),
        *time_metrics(totals_of(result.times)),
        Metric("pool.size", result.pool.size, "1", 1),
        Metric("pool.overflow.max", result.pool.overflow_most, "1", 1),
        Metric("pool.checked_out.max", result.pool.checked_out_most, "1", 1),
        Metric("pool.opened", result.pool.opened, "1", 1),
        Metric("pool.timeouts", result.pool.timeouts, "1", 1),
        *health_metrics(result.health),
    )


def metric_names() -> frozenset[str]:
    """What `database_metrics` would name after a run in which all happened that can."""
    records = Records(PAM_MIX, workers=1, operations=1)
    everything = DatabaseResult(
        started_at=datetime.now(UTC),
        phases=Phases.plan(0, ramp=1, warmup=1, measure=1, drain=1),
        counted=records.counted(),
        uncounted=records.uncounted(),
        times=with_a_sample(records.times()),
        health=Health(0.0, 0.0, Histogram(), 0.0, 0, 0.0),
        leaked=0,
        retries=0,
        segment_ms=(),
        segment_quantile=0.95,
        last_ok=1,
        pool=PoolCounts(size=1, max_overflow=0),
        server={},
        left_over_rows=0,
        removed_rows=0,
        tag="",
        given_up=None,
    )
    return frozenset(metric.name for metric in database_metrics(everything))


def database_validity(result: DatabaseResult) -> Validity:
    """Whether the run can be trusted, see `validity_of`, and left nothing behind."""
    validity = validity_of(
        result.health.reasons(
            {"sends": totals_of(result.times)["query.send_lag"]},
            way_out="use a lower rate, fewer workers or a quieter machine",
        ),
        result.counted,
        measured_seconds=result.phases.measured_seconds,
        given_up=result.given_up,
    )
    if result.removed_rows is not None:
        return validity
    stay = (
        f"its rows tagged {result.tag} could not be removed; the next run against this database removes them"
    )
    return validity.but(stay)
