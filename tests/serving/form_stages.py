"""Suites of the runs that a browser watches: what its pictures show agrees with the plan, and with itself."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from builders import with_metric

from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Measurement, new_id


async def until_looked_at(measurement, stop):
    """A suite that runs until the browser has seen it run: until there is a file."""
    looked_at = Path(os.environ["NIGHTBENCH_RESULTS"]) / "looked-at"
    while not looked_at.exists() and not stop.is_set():  # noqa: ASYNC110  # another process makes the file
        await asyncio.sleep(0.1)
    return as_planned(as_of_now(measurement, stop))


def as_of_now(measurement: Measurement, _stop: asyncio.Event) -> Measurement:
    """The same as of this night, by its name."""
    now = datetime.now(UTC)
    return replace(measurement, started_at=now, run_id=new_id(f"{measurement.tier}-{measurement.suite}", now))


def as_planned(measurement: Measurement) -> Measurement:
    """As many messages as the plan has, in the time that it has for them, each with its reply."""
    plan = measurement.plan
    messages = round(plan.messages_per_second * plan.duration)
    counted = OperationCounts(scheduled=messages, ok=messages)
    known = replace(
        measurement,
        duration=plan.duration,
        operations={**measurement.operations, "message": counted},
        metrics=tuple(
            replace(each, n=messages) if each.name.startswith("message.") else each
            for each in measurement.metrics
        ),
    )
    known = with_metric(known, "message.throughput", messages / plan.duration)
    return with_metric(known, "message.success_rate", 100.0)
