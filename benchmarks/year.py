"""A year of nights as files: the metrics, windows and details that nightbench writes, with values drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np

from nightbench.history.places import path_of
from nightbench.history.rows import Row, file_of, rows_of_run
from nightbench.history.schema import METRICS, OF_A_RUN, RUNS, WINDOWS
from nightbench.load.histogram import Histogram, encode_counts
from nightbench.measurement import Measurement, Metric, Validity, Window, statistics
from nightbench.plan import Suite, Tier, WebSocketPlan
from nightbench.plan.pam import PAM
from nightbench.tiers import TIERS
from nightbench.verdict.targets import judge_targets

NIGHTS = 365
SECONDS = 60
WITH_WINDOWS = 30
"""The last nights have windows of each second; nobody looks at those of older ones."""
FIRST = datetime(2025, 11, 27, 3, 15, tzinfo=UTC)
_TIERS: tuple[Tier, ...] = ("baseline", "full", "stress")
_SUITES: tuple[Suite, ...] = ("websocket", "database")
_QUANTITIES: Mapping[Suite, tuple[str, ...]] = {
    "websocket": (
        *("connection.time", "connection.tcp_time", "connection.upgrade_time", "connection.send_lag"),
        *("message.response_time", "message.service_time", "message.send_lag", "message.first_chunk_time"),
        *("message.last_chunk_time", "message.chunk_gap"),
    ),
    "database": (
        *(
            "query.response_time",
            "query.service_time",
            "query.send_lag",
            "query.begin_time",
            "query.execute_time",
        ),
        *("query.commit_time", "query.worker_wait", "pool.wait"),
    ),
}
_MAIN: Mapping[Suite, str] = {"websocket": "message", "database": "query"}


@dataclass(frozen=True)
class Year:
    """What was written.

    Attributes:
        runs: How many.
        metrics: Of the run that has most.
    """

    runs: int
    metrics: int


def write_year(root: Path, *, blocks: int, seed: int = 1) -> Year:
    """Write 365 nights of three tiers and both suites; one in forty is invalid, and each level changes once.

    Args:
        root: An empty folder.
        blocks: Runs of each suite in a night.
        seed: Of the values.
    """
    rng = np.random.default_rng(seed)
    runs = metrics = 0
    for suite, tier in product(_SUITES, _TIERS):
        pattern = _measurement(suite, tier, rng)
        rows = rows_of_run(pattern, judge_targets(pattern.plan.promises, pattern))
        metrics = max(metrics, len(pattern.metrics))
        for number in range(NIGHTS):
            level = float(np.exp(rng.normal(0, 0.03))) * (1.2 if number > 200 else 1.0)
            for block in range(1, blocks + 1):
                _write(root, pattern, dict(_of_night(rows, number, block, level, rng)), number, block)
                runs += 1
    return Year(runs, metrics)


def _of_night(
    rows: Mapping[str, list[Row]], number: int, block: int, level: float, rng: np.random.Generator
) -> Iterator[tuple[str, list[Row]]]:
    """The rows of one run, made of those of another night."""
    night = FIRST + timedelta(days=number)
    valid = number % 40 != 17
    shared = {
        "night_id": f"{night:%Y%m%dT%H%M%SZ}-nightly-{number:06x}",
        "started_at": _began(number, block),
        "block": block,
        "valid": valid,
        "release": f"v{number // 30}.0",
    }
    noise = np.exp(rng.normal(0, 0.02, len(rows[METRICS.name])))
    yield (
        METRICS.name,
        [
            {
                **row,
                **shared,
                "value": row["value"] * level * each
                if row["unit"] == "ms" and row["value"]
                else row["value"],
            }
            for row, each in zip(rows[METRICS.name], noise.tolist(), strict=True)
        ],
    )
    yield WINDOWS.name, rows[WINDOWS.name][: None if number >= NIGHTS - WITH_WINDOWS else 1]
    reasons = [] if valid else ["the load generator was late: tick lag P99 120 ms, at most 20 ms"]
    yield RUNS.name, [{**rows[RUNS.name][0], **shared, "reasons": reasons}]


def _began(number: int, block: int) -> datetime:
    return FIRST + timedelta(days=number, minutes=10 * block)


def _write(root: Path, pattern: Measurement, rows: Mapping[str, list[Row]], number: int, block: int) -> None:
    at = _began(number, block)
    run_id = f"{at:%Y%m%dT%H%M%SZ}-{pattern.tier}-{pattern.suite}-{number:06x}"
    for form in OF_A_RUN:
        path = root / path_of(form, run_id, at, pattern.suite, pattern.tier)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_of(form, [{**row, "run_id": run_id} for row in rows[form.name]]))


def _measurement(suite: Suite, tier: Tier, rng: np.random.Generator) -> Measurement:
    plan = TIERS[tier].websocket if suite == "websocket" else TIERS[tier].database
    main = _MAIN[suite]
    rates = (
        Metric(f"{main}.success_rate", 99.9, "%", 6_000),
        Metric(f"{main}.throughput", 100.0, "1/s", 6_000),
        Metric("connection.success_rate", 100.0, "%", 100),
        Metric("connection.connected_users", float(plan.users), "1", 100)
        if isinstance(plan, WebSocketPlan)
        else Metric("query.leaked_rows", 0.0, "1", 6_000),
        Metric("query.response_time.growth", 0.0, "%", 6_000),
        Metric("query.throughput.decline", 0.0, "%", 6_000),
    )
    statements = PAM.statements if suite == "database" else ()
    names = [
        *_QUANTITIES[suite],
        *(f"query[{each.name}].{what}" for each in statements for what in ("execute_time", "response_time")),
    ]
    return Measurement(
        run_id="",
        night_id="",
        suite=suite,
        tier=tier,
        environment="local",
        started_at=FIRST,
        duration=float(SECONDS),
        plan=plan,
        subject={"kind": "embedded", "server": {"server_version": "18.6"}},
        host={"cpu": "Example CPU @ 3.0 GHz", "cores": 2, "kernel": "6.18.1", "python": "CPython 3.11.7"},
        validity=Validity(),
        operations={},
        uncounted={},
        metrics=(*rates, *(metric for name in names for metric in statistics(name, _histogram(rng, 6_000)))),
        windows=tuple(_windows(main, rng)),
    )


def _windows(main: str, rng: np.random.Generator) -> Iterator[Window]:
    for quantity, second in product(("response_time", "send_lag"), range(SECONDS)):
        counts = _histogram(rng, 100).counts
        encoded = encode_counts(np.flatnonzero(counts), counts[counts > 0])
        yield Window(second, 1, main, quantity, 100, encoded)


def _histogram(rng: np.random.Generator, n: int) -> Histogram:
    found = Histogram()
    found.add(rng.lognormal(np.log(20e6), 0.4, n).astype(np.int64))
    return found
