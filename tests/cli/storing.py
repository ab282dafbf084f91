"""A small history: what the commands that read and mark it are tried on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from builders import (
    HOST,
    database_measurement,
    invalidated,
    verdict_of,
    websocket_measurement,
)

from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement
from nightbench.verdict.judgement import Line, Verdict

P95 = "message.response_time.p95"
LAST = 5
"""The number of the last night; the first is 0."""


def night(number: int) -> str:
    """The id of a night: 2026-11-24 and the days after it."""
    return websocket_measurement(number=number).night_id


def run(number: int, suite: str = "websocket", block: int = 1, role: str = "night") -> str:
    """The id of a run."""
    return f"{night(number)[:16]}-full-{suite}-{role[0]}{number}{block}"


def fill(root: Path) -> None:
    """Six nights of two suites in one tier, the last one with a slow WebSocket; and what is beside them.

    The WebSocket has two blocks a night. The first night ran on another machine, the database of the
    third was invalid. The last night has a repetition, another environment a run, and there is a calibration.
    """
    store = HistoryStore(root)
    for number in range(LAST + 1):
        level = (1.0 + 0.01 * (number % 3)) * (1.3 if number == LAST else 1)
        host = {**HOST, "cores": 4} if number == 0 else HOST
        for block in (1, 2):
            save(store, websocket_measurement(number=number, median_ms=20 * level, host=host), block=block)
        database = database_measurement(
            number=number, median_ms=4 * level if number < LAST else 4.0, host=host
        )
        save(store, invalidated(database, "the generator was late") if number == 2 else database)
    save(store, websocket_measurement(number=LAST, median_ms=26.0), role="rerun")
    save(store, websocket_measurement(number=1, night_id="20261125T120000Z-calibrate-1"), role="calibration")
    save(store, websocket_measurement(number=LAST + 1), environment="prod", role="night", block=7)
    store.save_lines(
        Verdict(lines=(regression(),)).to_frame(),
        environment="local",
        night_id=night(LAST),
        run_ids={"websocket": run(LAST)},
    )


def save(store: HistoryStore, measurement: Measurement, **changes: Any) -> None:
    """Store a run under an id that tells its night, role and block."""
    changed = replace(measurement, **changes)
    number = round((changed.started_at - websocket_measurement().started_at) / timedelta(days=1))
    named = replace(
        changed,
        run_id=run(number, changed.suite, changed.block, changed.role),
        started_at=changed.started_at + timedelta(minutes=changed.block),
    )
    store.save(named, verdict_of(named).targets)


def regression() -> Line:
    """What was said of the last night."""
    return Line(
        suite="websocket",
        tier="full",
        metric=P95,
        state="regression",
        higher_is_worse=True,
        gates=True,
        floor=0.05,
        layer=2,
        value=45.7,
        baseline=35.5,
        nights=12,
        effect=0.29,
        low=0.2,
        high=0.35,
        p=1e-6,
        p_adjusted=1e-5,
        noise=0.02,
        detectable=0.07,
    )
