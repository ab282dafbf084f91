"""One database stress test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nightbench.database.checking.checks import check_reachable
from nightbench.database.loading import lead_of, one_operation, run_load
from nightbench.database.metrics import database_metrics, database_validity
from nightbench.database.provisions import load_provisions
from nightbench.database.result import DatabaseResult, DatabaseSpec, LoadResult, LoadSpec
from nightbench.database.stewardship import CLEANING_SECONDS, run_steward, run_steward_of_others
from nightbench.database.tally import QUERY
from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.load.child import PATIENCE_SECONDS, run_in_child
from nightbench.load.fleet import LOCAL, Crew, Fleet
from nightbench.load.progress import OnProgress
from nightbench.load.shards import Parts
from nightbench.measurement import Measurement, RunLabel, measured, new_id
from nightbench.plan import DatabasePlan
from nightbench.scrub import stored_address
from nightbench.subject import Subject

LEFT_BEHIND = (
    "rows that it wrote may have stayed: the next run against this database removes them, or "
    "`nightbench database clean`"
)


async def run(
    plan: DatabasePlan,
    subject: Subject,
    label: RunLabel,
    *,
    on_progress: OnProgress,
    stop: asyncio.Event,
    fleet: Fleet = LOCAL,
) -> Measurement:
    """Load `subject` from `fleet` as `plan` says; when `stop` is set, end early with an incomplete measurement.

    Raises:
        ConfigurationError: when the database cannot be reached, is not what the workload needs or may not be
            written to.
        MeasurementError: when the generator gave no result, or the embedded PostgreSQL has ended.
        NotBegunError: when `stop` was set before the load began.
    """
    if subject.dsn is None:
        raise ConfigurationError("NIGHTBENCH_DATABASE_DSN", "", "the database suite needs an address")
    provisions = await asyncio.to_thread(load_provisions, plan)
    run_id = new_id(f"{label.tier}-database")
    spec = DatabaseSpec(plan, subject.dsn, run_id, provisions, subject.database_allowed)
    try:
        async with fleet.crew("database", plan.shards, lead=lead_of(plan)) as crew:
            result = await _stewarded(spec, crew=crew, on_progress=on_progress, stop=stop)
    except ConfigurationError:
        if subject.kind("database") == "embedded":
            await _check_alive(subject.dsn)
        raise
    except MeasurementError as error:
        if plan.mix.own_rows is not None and subject.kind("database") == "external":
            msg = f"{error}; {LEFT_BEHIND}"
            raise MeasurementError(msg) from error
        raise
    if result is None:
        raise NotBegunError
    return measured(
        result.load,
        run_id=run_id,
        suite="database",
        label=label,
        plan=plan,
        subject={
            "kind": subject.kind("database"),
            "address": stored_address(subject.dsn),
            "server": result.server,
        },
        host=crew.host,
        validity=database_validity(result),
        metrics=database_metrics(result, plan),
        details={**details_of(result, shards=plan.shards), **crew.details},
    )


async def _stewarded(
    spec: DatabaseSpec, *, crew: Crew, on_progress: OnProgress, stop: asyncio.Event
) -> DatabaseResult | None:
    """The run that a steward in a process of its own sees to; None when it was to end before the load began."""

    async def serve(specs: Sequence[LoadSpec], tell: OnProgress) -> Parts[LoadResult]:
        return await run_load(specs, crew=crew, on_progress=tell, stop=stop)

    seconds = 2 * one_operation(spec.plan)  # the generator's, and the steward's for the generator
    result: DatabaseResult | None = await run_in_child(
        run_steward if crew.is_here else run_steward_of_others,
        spec,
        on_progress=on_progress,
        stop=stop,
        grace=CLEANING_SECONDS + seconds,
        patience=PATIENCE_SECONDS + seconds,
        serve=serve,
    )
    return result


def details_of(result: DatabaseResult, *, shards: int) -> dict[str, Any]:
    """What explains the figures and is no metric, JSON-like."""
    load = result.load
    return {
        "pool": asdict(load.pool),
        "course": load.course.details(),
        "rows": asdict(result.rows),
        **result.diagnosis.details(),
        "waits": dict(result.observation.waits),
        "leaks": dict(result.observation.probes.leaks),
        "failed_probes": dict(result.observation.probes.errors),
        "warmup_errors": dict(load.uncounted[QUERY].errors),
        "not_seen": list(result.observation.absent),
        "shards": shards,
    }


async def _check_alive(dsn: str) -> None:
    """Tell an embedded PostgreSQL that is gone from a plan that it cannot take."""
    try:
        await asyncio.to_thread(check_reachable, dsn)
    except ConfigurationError as error:
        msg = f"the embedded PostgreSQL has ended: {error.problem}"
        raise MeasurementError(msg) from None
