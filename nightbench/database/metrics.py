"""From what the generators and the observer saw to the metrics of the database suite. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from nightbench.database.degradation import Course, Tenth
from nightbench.database.finding import Diagnosis
from nightbench.database.observation import Observation
from nightbench.database.observing.metrics import observation_metrics
from nightbench.database.pool_counts import PoolCounts
from nightbench.database.result import DatabaseResult, LoadResult, Rows
from nightbench.database.starvation import starvation_of
from nightbench.database.tally import QUERY, Tally
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
from nightbench.plan import DatabasePlan

_HELD = ("query.begin_time", "query.execute_time", "query.commit_time")
"""While these go on, a worker has a connection."""


def database_metrics(result: DatabaseResult, plan: DatabasePlan) -> tuple[Metric, ...]:
    """Every metric of one run of `plan`, in the order in which a reader asks for them."""
    load = result.load
    query = load.counted[QUERY]
    executed = query.scheduled - query.skipped
    probes = result.observation.probes
    leaked = load.leaked + probes.leaked_rows
    return (
        Metric("query.success_rate", query.success_rate, "%", query.scheduled),
        throughput(QUERY, query.ok, load.phases, last_ok=load.last_ok),
        Metric("query.leaked_rows", leaked, "1", executed + probes.made),
        Metric("query.retries", load.retries, "1", executed),
        Metric("query.retried", load.retried, "1", executed),
        *_course(load.course),
        *time_metrics(totals_of(load.times)),
        *_tenth("first_tenth", load.course.first_tenth),
        *_tenth("last_tenth", load.course.last_tenth),
        *_by_statement(load),
        *_pool(load),
        *observation_metrics(result.observation, plan),
        *health_metrics(load.health),
    )


def _course(course: Course) -> tuple[Metric, ...]:
    """Whether it stayed stable: how surely it changed from first to last."""
    growth = course.growth
    return (
        Metric(
            "query.response_time.growth",
            growth.rise if growth is not None else None,
            "%",
            len(course.response_ms()),
        ),
        Metric("query.throughput.decline", course.sure_decline, "%", len(course.throughputs())),
    )


def _tenth(name: str, tenth: Tenth) -> tuple[Metric, ...]:
    """The response time of a tenth of the operations, the throughput in a tenth of the time."""
    response_time = tenth.response_time
    return (
        Metric(f"{QUERY}.{name}.p50", response_time.quantile_ms(0.5), "ms", response_time.total),
        Metric(f"{QUERY}.{name}.p95", response_time.quantile_ms(0.95), "ms", response_time.total),
        Metric(f"{QUERY}.{name}.throughput", tenth.throughput, "1/s", tenth.ok),
    )


def _by_statement(load: LoadResult) -> Iterator[Metric]:
    for name, rows in load.rows.items():
        counts = load.counted[name]
        yield Metric(f"{name}.success_rate", counts.success_rate, "%", counts.scheduled)
        yield throughput(name, counts.ok, load.phases, last_ok=load.last_ok)
        yield Metric(f"{name}.rows.mean", rows / counts.ok if counts.ok else None, "1", counts.ok)


def _pool(load: LoadResult) -> tuple[Metric, ...]:
    pool, totals = load.pool, totals_of(load.times)
    span = max(load.phases.drain, load.last_ok) - load.phases.measure
    held = sum(totals[name].sum_ns for name in _HELD)
    return (
        Metric("pool.size", pool.size, "1", 1),
        Metric("pool.overflow.max", pool.overflow_most, "1", 1),
        Metric("pool.checked_out.max", pool.checked_out_most, "1", 1),
        # Little's law: the time that connections were held, by the time in which they were; what timed out in the
        # drain was held beyond that
        Metric(
            "pool.checked_out.mean",
            min(held / span, float(pool.checked_out_most)) if span > 0 else None,
            "1",
            totals[_HELD[0]].n,
        ),
        Metric("pool.opened", pool.opened, "1", 1),
        Metric("pool.recycled", pool.recycled, "1", 1),
        Metric("pool.invalidated", pool.invalidated, "1", 1),
        Metric("pool.timeouts", pool.timeouts, "1", 1),
    )


def metric_names(plan: DatabasePlan) -> frozenset[str]:
    """What `database_metrics` would name after a run of `plan` in which all happened that can."""
    tally = Tally([statement.name for statement in plan.mix.statements], operations=1)
    load = LoadResult(
        started_at=datetime.now(UTC),
        phases=Phases.plan(0, ramp=1, warmup=1, measure=1, drain=1),
        counted=tally.counted(),
        uncounted=tally.uncounted(),
        times=with_a_sample(tally.times()),
        health=Health(0.0, 0.0, Histogram(), 0.0, 0, 0.0),
        leaked=0,
        retries=0,
        retried=0,
        rows=tally.rows,
        course=tally.course(),
        last_ok=1,
        pool=PoolCounts(size=1, max_overflow=0),
        starved=(),
        given_up=None,
    )
    everything = DatabaseResult(load, Rows("", 0, 0, {}, {}), {}, Observation(), Diagnosis())
    return frozenset(metric.name for metric in database_metrics(everything, plan))


def database_validity(result: DatabaseResult) -> Validity:
    """Whether the run can be trusted, see `validity_of`, and left nothing behind."""
    load, rows = result.load, result.rows
    validity = validity_of(
        starvation_of(load),
        load.counted,
        measured_seconds=load.phases.measured_seconds,
        given_up=load.given_up,
    )
    if rows.removed is not None:
        return validity
    stay = f"its rows tagged {rows.tag} could not be removed; the next run against this database removes them"
    return validity.but(stay)
