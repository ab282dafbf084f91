"""The three tables of the dataset, column by column, and their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from nightbench.history.record import JudgedTarget, clean, clean_text, record, window_record
from nightbench.measurement import SCHEMA, Measurement
from nightbench.plan import plan_hash

_INSTANT = pa.timestamp("us", tz="UTC")

RUNS = pa.schema(
    [
        ("schema_version", pa.int32()),
        ("run_id", pa.string()),
        ("night_id", pa.string()),
        ("environment", pa.string()),
        ("started_at", _INSTANT),
        ("duration_s", pa.float64()),
        ("plan", pa.string()),
        ("plan_hash", pa.string()),
        ("subject", pa.string()),
        ("subject_key", pa.string()),
        ("host", pa.string()),
        ("packages", pa.string()),
        ("valid", pa.bool_()),
        ("complete", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("operations", pa.string()),
        ("uncounted", pa.string()),
        ("targets", pa.string()),
        ("targets_met", pa.bool_()),
        ("details", pa.string()),
    ]
)
"""One row a run. Columns of nested content hold JSON text."""

METRICS = pa.schema(
    [
        ("schema_version", pa.int32()),
        ("run_id", pa.string()),
        ("night_id", pa.string()),
        ("environment", pa.string()),
        ("started_at", _INSTANT),
        ("valid", pa.bool_()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("n", pa.int64()),
    ]
)
"""One row a metric; a null value is a missing one."""

WINDOWS = pa.schema(
    [
        ("schema_version", pa.int32()),
        ("run_id", pa.string()),
        ("second", pa.int32()),
        ("seconds", pa.int32()),
        ("operation", pa.string()),
        ("quantity", pa.string()),
        ("n", pa.int64()),
        ("histogram", pa.string()),
    ]
)
"""One row a window, operation and quantity; `histogram` is HdrHistogram V2 in base64, in µs."""

ABSENT: Mapping[str, Any] = MappingProxyType({"seconds": 1})
"""What the rows of a file stand for that was written before a column was."""

TABLES: Mapping[str, pa.Schema] = MappingProxyType({"metrics": METRICS, "windows": WINDOWS, "runs": RUNS})
"""In the order of writing: a run exists when its row in ``runs`` does."""


def tables_of(measurement: Measurement, targets: Sequence[JudgedTarget]) -> dict[str, pa.Table]:
    """The rows of one run in each table."""
    document = record(measurement, targets)
    rows = {
        "runs": [_run_row(measurement, document)],
        "metrics": _metric_rows(measurement, document),
        "windows": _window_rows(measurement),
    }
    return {name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in TABLES.items()}


def _run_row(measurement: Measurement, document: Mapping[str, Any]) -> dict[str, Any]:
    targets = document["targets"]
    validity = document["validity"]
    host = {name: value for name, value in document["host"].items() if name != "packages"}
    return {
        **_common(measurement),
        "night_id": document["night_id"],
        "environment": document["environment"],
        "started_at": measurement.started_at.astimezone(UTC),
        "duration_s": document["duration"],
        "plan": _text(document["plan"]),
        "plan_hash": plan_hash(measurement.plan),
        "subject": _text(document["subject"]),
        "subject_key": clean(measurement.subject_key),
        "host": _text(host),
        "packages": _text(document["host"].get("packages", {})),
        "valid": validity["valid"],
        "complete": validity["complete"],
        "reasons": validity["reasons"],
        "operations": _text(document["operations"]),
        "uncounted": _text(document["uncounted"]),
        "targets": _text(targets),
        "targets_met": all(target["met"] for target in targets),
        "details": _text(document["details"]),
    }


def _metric_rows(measurement: Measurement, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    shared = {
        **_common(measurement),
        "night_id": document["night_id"],
        "environment": document["environment"],
        "started_at": measurement.started_at.astimezone(UTC),
        "valid": document["validity"]["valid"],
    }
    return [{**shared, **metric} for metric in document["metrics"]]


def _window_rows(measurement: Measurement) -> list[dict[str, Any]]:
    shared = _common(measurement)
    return [{**shared, **window_record(window)} for window in measurement.windows]


def _common(measurement: Measurement) -> dict[str, Any]:
    return {"schema_version": SCHEMA, "run_id": clean_text(measurement.run_id)}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
