"""One database stress test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict

from nightbench.database.generator import DatabaseResult, DatabaseSpec, run_generator
from nightbench.database.metrics import database_metrics, database_validity
from nightbench.errors import ConfigurationError
from nightbench.host import fingerprint
from nightbench.load.child import run_in_child
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, new_id
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub
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
        MeasurementError: when the generator gave no result.
    """
    if subject.dsn is None:
        raise ConfigurationError("NIGHTBENCH_DATABASE_DSN", "", "the database suite needs an address")
    run_id = new_id(f"{label.tier}-database")
    result: DatabaseResult = await run_in_child(
        run_generator,
        DatabaseSpec(plan, subject.dsn, run_id),
        on_progress=on_progress,
        stop=stop,
        grace=GRACE_SECONDS + plan.pool_timeout + plan.statement_timeout,
    )
    return Measurement(
        run_id=run_id,
        night_id=label.night_id,
        suite="database",
        tier=label.tier,
        environment=label.environment,
        started_at=result.started_at,
        duration=result.phases.measured_seconds,
        plan=plan,
        subject={"kind": subject.kind("database"), "address": _address(subject.dsn), "server": result.server},
        host=fingerprint(),
        validity=database_validity(result),
        operations=result.counted,
        uncounted=result.uncounted,
        metrics=database_metrics(result),
        windows=tuple(window for times in result.times for window in times.windows),
        details={
            "pool": asdict(result.pool),
            "segments": {"quantile": result.segment_quantile, "ms": list(result.segment_ms)},
            "rows": {"left_over": result.left_over_rows, "removed": result.removed_rows},
        },
    )


def _address(dsn: str) -> str:
    """`dsn` as it is stored: scrubbed first, then without its query, where secrets may travel."""
    return re.split(r"[?#]", scrub(dsn), maxsplit=1)[0]
