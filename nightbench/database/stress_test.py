"""One database stress test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from nightbench.database.checks import check_reachable
from nightbench.database.generator import DatabaseResult, DatabaseSpec, run_generator
from nightbench.database.metrics import database_metrics, database_validity
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.host import fingerprint
from nightbench.load.child import PATIENCE_SECONDS, run_in_child
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, measured, new_id
from nightbench.plan import DatabasePlan
from nightbench.scrub import stored_address
from nightbench.subject import Subject

GRACE_SECONDS = 30.0
"""How long an interrupted generator may take to end its transactions and remove its rows, on top of what the
plan gives one operation."""


async def run(
    plan: DatabasePlan, subject: Subject, label: RunLabel, *, on_progress: OnProgress, stop: asyncio.Event
) -> Measurement:
    """Load `subject` as `plan` says; when `stop` is set, end early with an incomplete measurement.

    Raises:
        ConfigurationError: when the database cannot be reached or is not what the workload needs.
        MeasurementError: when the generator gave no result, or the embedded PostgreSQL has ended.
    """
    if subject.dsn is None:
        raise ConfigurationError("NIGHTBENCH_DATABASE_DSN", "", "the database suite needs an address")
    run_id = new_id(f"{label.tier}-database")
    one_operation = plan.pool_timeout + plan.statement_timeout
    try:
        result: DatabaseResult = await run_in_child(
            run_generator,
            DatabaseSpec(plan, subject.dsn, run_id),
            on_progress=on_progress,
            stop=stop,
            grace=GRACE_SECONDS + one_operation,
            patience=PATIENCE_SECONDS + one_operation,  # for which it waits in silence at the end
        )
    except ConfigurationError:
        if subject.kind("database") == "embedded":
            await _check_alive(subject.dsn)
        raise
    return measured(
        result,
        run_id=run_id,
        suite="database",
        label=label,
        plan=plan,
        subject={
            "kind": subject.kind("database"),
            "address": stored_address(subject.dsn),
            "server": result.server,
        },
        host=fingerprint(),
        validity=database_validity(result),
        metrics=database_metrics(result),
        details={
            "pool": asdict(result.pool),
            "segments": {"quantile": result.segment_quantile, "ms": list(result.segment_ms)},
            "rows": {"left_over": result.left_over_rows, "removed": result.removed_rows},
        },
    )


async def _check_alive(dsn: str) -> None:
    """Tell an embedded PostgreSQL that is gone from a plan that it cannot take."""
    try:
        await asyncio.to_thread(check_reachable, dsn)
    except ConfigurationError as error:
        msg = f"the embedded PostgreSQL has ended: {error.problem}"
        raise MeasurementError(msg) from None
