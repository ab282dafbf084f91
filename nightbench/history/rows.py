"""The rows of one run in each table, and files of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.record import JudgedTarget, clean_own, clean_text, record, window_record
from nightbench.history.schema import METRICS, RUNS, VERSION, WINDOWS, TableForm
from nightbench.measurement import Measurement
from nightbench.plan import plan_hash

Row = dict[str, Any]

_SMALL: Mapping[str, Any] = MappingProxyType({"compression": "zstd", "compression_level": 9})
_OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # a histogram is different in every row: a dictionary would only be a second copy, and the statistics
        # of the column two more of the largest
        WINDOWS.name: {
            **_SMALL,
            "use_dictionary": [name for name in WINDOWS.schema.names if name != "histogram"],
            "write_statistics": [name for name in WINDOWS.schema.names if name != "histogram"],
        },
        # a year of them is read for each judgement: what is small is sooner opened than unpacked
        METRICS.name: {
            "compression": "none",
            "use_dictionary": ["run_id", "night_id", "plan_hash", "subject_key", "fingerprint", "release"],
            "write_statistics": False,
            "store_schema": False,
        },
    }
)


def rows_of_run(measurement: Measurement, targets: Sequence[JudgedTarget]) -> dict[str, list[Row]]:
    """The rows of one run by table."""
    document = record(measurement, targets)
    shared = _shared(measurement, document)
    return {
        METRICS.name: [{**shared, **metric} for metric in document["metrics"]],
        WINDOWS.name: [
            {"run_id": shared["run_id"], **window_record(window)} for window in measurement.windows
        ],
        RUNS.name: [{**shared, **_of_the_run_alone(document)}],
    }


def file_of(form: TableForm, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A Parquet file of `rows`; what a row lacks is null.

    Raises:
        pyarrow.ArrowException, ValueError: when a value does not fit its column.
    """
    versioned = [{**row, "schema_version": VERSION} for row in rows]
    table = pa.Table.from_pylist(versioned, schema=form.schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **_OPTIONS.get(form.name, _SMALL))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _shared(measurement: Measurement, document: Mapping[str, Any]) -> Row:
    """What the rows of a run have in common in `runs` and `metrics`."""
    return {
        "run_id": clean_text(measurement.run_id),
        "night_id": document["night_id"],
        "environment": document["environment"],
        "started_at": measurement.started_at.astimezone(UTC),
        "valid": document["validity"]["valid"],
        "role": measurement.role,
        "block": measurement.block,
        "plan_hash": plan_hash(measurement.plan),
        "subject_key": clean_own(measurement.subject_key),
        "fingerprint": text_of(fingerprint(measurement)),
        "release": document["release"],
    }


def _of_the_run_alone(document: Mapping[str, Any]) -> Row:
    host = {name: value for name, value in document["host"].items() if name != "packages"}
    return {
        "duration_s": document["duration"],
        "plan": _text(document["plan"]),
        "subject": _text(document["subject"]),
        "host": _text(host),
        "packages": _text(document["host"].get("packages", {})),
        "complete": document["validity"]["complete"],
        "reasons": document["validity"]["reasons"],
        "operations": _text(document["operations"]),
        "uncounted": _text(document["uncounted"]),
        "targets": _text(document["targets"]),
        "targets_met": all(target["met"] for target in document["targets"]),
        "details": _text(document["details"]),
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
