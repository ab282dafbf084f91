"""Stored runs without a dataset, for the tests of what is drawn of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from builders import START, database_measurement, websocket_measurement

from nightbench.history.record import record, window_record
from nightbench.history.runs import StoredRun
from nightbench.load.histogram import Histogram, encode_counts
from nightbench.measurement import Measurement

WINDOW_COLUMNS = ("second", "seconds", "operation", "quantity", "n", "histogram")


def stored(measurement: Measurement) -> StoredRun:
    """A measurement as the store gives it back."""
    document = record(measurement, ())
    rows = [window_record(each) for each in measurement.windows]
    return StoredRun(
        run_id=measurement.run_id,
        suite=measurement.suite,
        tier=measurement.tier,
        row={**document, **document["validity"], "started_at": START, "duration_s": document["duration"]},
        metrics=pd.DataFrame(document["metrics"], columns=["name", "value", "unit", "n"]).astype(
            {"value": "float64"}
        ),
        windows=pd.DataFrame(rows, columns=list(WINDOW_COLUMNS)),
    )


@cache
def _usual(suite: str) -> StoredRun:
    return stored(websocket_measurement() if suite == "websocket" else database_measurement())


def _with(run: StoredRun, windows: Iterable[Mapping[str, Any]] | None) -> StoredRun:
    if windows is None:
        return run
    return replace(run, windows=pd.DataFrame(list(windows), columns=list(WINDOW_COLUMNS)))


def websocket_run(windows: Iterable[Mapping[str, Any]] | None = None, **changes: Any) -> StoredRun:
    """A run of the WebSocket suite; see `builders.websocket_measurement`."""
    return _with(stored(websocket_measurement(**changes)) if changes else _usual("websocket"), windows)


def database_run(windows: Iterable[Mapping[str, Any]] | None = None, **changes: Any) -> StoredRun:
    """A run of the database suite; see `builders.database_measurement`."""
    return _with(stored(database_measurement(**changes)) if changes else _usual("database"), windows)


def window(
    second: int,
    values_ms: Iterable[float],
    *,
    never: int = 0,
    seconds: int = 1,
    operation: str = "message",
    quantity: str = "response_time",
) -> dict[str, Any]:
    """A row of the table ``windows`` with these durations, and some that never came."""
    found = Histogram()
    found.add(np.array([round(value * 1e6) for value in values_ms], dtype=np.int64))
    filled = np.flatnonzero(found.counts)
    return {
        "second": second,
        "seconds": seconds,
        "operation": operation,
        "quantity": quantity,
        "n": found.n + never,
        "histogram": encode_counts(filled, found.counts[filled]).decode(),
    }
