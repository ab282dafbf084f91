"""The results of one run take at most 300 KB, whatever its plan and whatever it measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import verdict_of, websocket_measurement

from nightbench.history.store import HistoryStore
from nightbench.host import fingerprint
from nightbench.load.fitting import fitted
from nightbench.load.histogram import Histogram, bucket_indices
from nightbench.load.timeline import Times
from nightbench.load.windows import WindowCounter
from nightbench.measurement import statistics

LIMIT = 300_000

COURSES = ("response_time", "send_lag", "first_chunk_time")
WHOLE = ("service_time", "last_chunk_time", "chunk_gap", "tcp_time", "tls_time", "upgrade_time", "downtime")
KINDS = 20

Durations = np.ndarray[Any, np.dtype[np.int64]]
Draw = Callable[[np.random.Generator, int], Durations]


def log_normal(sigma: float) -> Draw:
    return lambda rng, size: rng.lognormal(np.log(20e6), sigma, size).astype(np.int64)


def uniform(rng: np.random.Generator, size: int) -> Durations:
    return rng.integers(1_000, 10_000_000_000, size)


def total_of(draw: Draw, amount: int, *, seed: int = 1) -> Histogram:
    total = Histogram()
    total.add(draw(np.random.default_rng(seed), amount))
    return total


def times_of(rate: float, seconds: int, draw: Draw, *, kinds: int) -> Times:
    """What a run measured of the quantities of the WebSocket suite, with two more for every kind of messages."""
    rng = np.random.default_rng(1)
    amount = round(rate * seconds)
    totals = {f"message.{name}": Histogram() for name in (*COURSES, *WHOLE)}
    counters = {f"message.{name}": WindowCounter() for name in COURSES}
    for name, total in totals.items():
        for scheduled in np.array_split((np.arange(amount) / rate).astype(np.int64), max(1, seconds // 60)):
            durations = draw(rng, scheduled.size)
            total.add(durations)
            if name in counters:
                counters[name].add(scheduled, bucket_indices(durations))
    for kind in range(kinds):
        for quantity in ("response_time", "service_time"):
            totals[f"message[kind_{kind}].{quantity}"] = total_of(draw, amount // kinds, seed=kind)
    return Times(totals, {name: counter.counts() for name, counter in counters.items()}, 0, seconds - 1)


def test_a_histogram_is_stored_once(tmp_path: Path) -> None:
    (window,) = fitted([Times({"message.service_time": total_of(log_normal(0.4), 60_000)}, {}, 0, 9)])
    measurement = websocket_measurement(windows=(window,))
    saved = HistoryStore(tmp_path).save(measurement, verdict_of(measurement).targets)
    (path,) = (path for path in saved.paths if "windows" in path.parts)
    assert len(window.histogram) < path.stat().st_size < 2 * len(window.histogram)


@pytest.mark.parametrize(
    ("rate", "seconds", "draw", "kinds"),
    [
        pytest.param(100, 600, log_normal(0.4), 1, id="stress tier"),
        pytest.param(2_000, 600, log_normal(0.4), KINDS, id="2,000/s for 10 min"),
        pytest.param(2_000, 600, log_normal(1.0), KINDS, id="2,000/s for 10 min, a long tail"),
        pytest.param(5_000, 600, log_normal(1.0), 1, id="5,000/s for 10 min, a long tail"),
        pytest.param(0.2, 36_000, uniform, 1, id="one in 5 s for 10 h"),
        pytest.param(2_000, 600, uniform, KINDS, id="2,000/s for 10 min, anything from 1 µs to 10 s"),
        pytest.param(100, 7_200, uniform, KINDS, id="100/s for 2 h, anything from 1 µs to 10 s"),
    ],
)
def test_the_results_of_a_run_are_small(
    tmp_path: Path, rate: float, seconds: int, draw: Draw, kinds: int
) -> None:
    times = times_of(rate, seconds, draw, kinds=kinds)
    measurement = websocket_measurement(
        windows=fitted([times]),
        metrics=tuple(item for name, total in times.totals.items() for item in statistics(name, total)),
        host=fingerprint(),
    )
    saved = HistoryStore(tmp_path).save(measurement, verdict_of(measurement).targets)
    sizes = {path.relative_to(tmp_path).parts[0]: path.stat().st_size for path in saved.paths}
    assert sum(sizes.values()) <= LIMIT, sizes
