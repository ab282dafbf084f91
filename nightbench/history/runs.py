"""Stored runs: listed, and one of them whole."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from nightbench.errors import ExitCode, NightbenchError
from nightbench.history.filters import RunFilter
from nightbench.history.fingerprint import fingerprint_of_row, text_of
from nightbench.history.places import Place
from nightbench.history.reader import Reader
from nightbench.history.reading import UnreadableFile, part_of
from nightbench.history.record import clean_own, clean_windows
from nightbench.history.schema import METRICS, RUNS, WINDOWS, TableForm
from nightbench.measurement import SCHEMA
from nightbench.scrub import scrub

_OBJECTS = ("plan", "subject", "host", "packages", "operations", "uncounted", "details", "fingerprint")
"""Columns of JSON objects; `targets` is a list."""
_LISTED = (
    *("run_id", "night_id", "environment", "started_at", "duration_s", "role", "block", "valid", "complete"),
    *("reasons", "targets_met", "plan_hash", "subject_key", "fingerprint", "release", "host", "subject"),
)
COLUMNS = (
    *("run_id", "night_id", "suite", "tier", "environment", "started_at", "duration_s", "role", "block"),
    *("valid", "complete", "reasons", "targets_met", "plan_hash", "subject_key", "fingerprint", "release"),
)
_CANDIDATES = 10

_Json = TypeVar("_Json", dict[str, Any], list[Any])


class NoSuchRunError(NightbenchError):
    """No run, or more than one, has the name.

    Attributes:
        candidates: Those that it may mean, some of them when there are many.
    """

    exit_code = ExitCode.WRONG_USE

    def __init__(self, name: str, root: str, candidates: tuple[str, ...]) -> None:
        self.candidates = candidates[:_CANDIDATES]
        more = ", …" if len(candidates) > _CANDIDATES else ""
        what = "no run begins with" if not candidates else "several runs begin with"
        known = f": {', '.join(self.candidates)}{more}" if candidates else ""
        super().__init__(scrub(f"{what} {name!r} in {root}{known}"))


class UnreadableRunError(NightbenchError):
    """The run is there and cannot be read."""

    def __init__(self, file: UnreadableFile) -> None:
        super().__init__(scrub(f"{file.path}: {file.problem}; move it away to go on without it"))


@dataclass(frozen=True)
class StoredRun:
    """One run whole.

    Attributes:
        row: Of the table ``runs``, with what is JSON there as values; `fingerprint` are its parts.
        metrics: One row a metric: name, value (NaN when missing), unit, n.
        windows: One row a window: second, seconds, operation, quantity, n, histogram.
    """

    run_id: str
    suite: str
    tier: str
    row: Mapping[str, Any]
    metrics: pd.DataFrame
    windows: pd.DataFrame

    def document(self) -> dict[str, Any]:
        """The run as ``--json`` printed it, with its windows, role, block and fingerprint."""
        row = self.row
        document: dict[str, Any] = clean_own(
            {
                "schema": SCHEMA,
                "run_id": self.run_id,
                "night_id": row["night_id"],
                "suite": self.suite,
                "tier": self.tier,
                "environment": row["environment"],
                "release": row["release"],
                "started_at": row["started_at"],
                "duration": row["duration_s"],
                "plan": row["plan"],
                "subject": row["subject"],
                "host": {**row["host"], "packages": row["packages"]},
                "validity": {name: row[name] for name in ("valid", "complete", "reasons")},
                "operations": row["operations"],
                "uncounted": row["uncounted"],
                "metrics": self.metrics.to_dict("records"),
                "targets": row["targets"],
                "details": row["details"],
                "role": row["role"],
                "block": row["block"],
                "fingerprint": row["fingerprint"],
            }
        )
        return {**document, "windows": clean_windows(self.windows.to_dict("records"))}


def listed(reader: Reader, chosen: RunFilter) -> pd.DataFrame:
    """One row a run, oldest first; see `COLUMNS`."""
    places = reader.places(RUNS, chosen.suite, chosen.tier)
    rows = [
        {
            **row,
            "suite": place.suite,
            "tier": place.tier,
            "reasons": tuple(row["reasons"] or ()),
            "block": row["block"] or 1,
        }
        for place, table in reader.tables(RUNS, places, _LISTED)
        for row in table.to_pylist()
    ]
    for row in rows:
        row["fingerprint"] = row["fingerprint"] or text_of(fingerprint_of_row(row))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(_kinds())
    return chosen.of(frame.sort_values(["started_at", "run_id"], kind="stable")).reset_index(drop=True)


def one(reader: Reader, place: Place) -> StoredRun:
    """One run whole.

    Raises:
        UnreadableRunError: when its row cannot be read.
    """
    rows = [row for _, table in reader.tables(RUNS, [place]) for row in table.to_pylist()]
    try:
        row = _whole(rows[0]) if rows else None
    except ValueError as error:
        reader.skip(place.path, str(error))
        row = None
    if row is None:
        raise UnreadableRunError(reader.skipped(place.path))
    return StoredRun(
        run_id=place.name,
        suite=place.suite,
        tier=place.tier,
        row=row,
        metrics=_rows(reader, METRICS, [place], ("name", "value", "unit", "n")),
        windows=_rows(
            reader, WINDOWS, [place], ("second", "seconds", "operation", "quantity", "n", "histogram")
        ),
    )


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``runs`` with what is JSON in it as values.

    Raises:
        ValueError: naming a column that holds something else.
    """
    text = row["fingerprint"] or text_of(fingerprint_of_row(row))
    whole = {name: value for name, value in row.items() if name != "schema_version"}
    whole |= {name: _decoded(name, row[name], dict) for name in _OBJECTS if name != "fingerprint"}
    return {
        **whole,
        "targets": _decoded("targets", row["targets"], list),
        "fingerprint": _decoded("fingerprint", text, dict),
        "started_at": row["started_at"].astimezone(UTC),
    }


def reasons(reader: Reader, places: Collection[Place]) -> dict[str, tuple[str, ...]]:
    """Why each of several runs cannot be trusted, by its id; nothing of one that can be."""
    return {
        place.name: tuple(row["reasons"] or ())
        for place, table in reader.tables(RUNS, places, ("reasons",))
        for row in table.to_pylist()
    }


def windows(reader: Reader, places: Collection[Place]) -> pd.DataFrame:
    """The windows of several runs."""
    return _rows(reader, WINDOWS, places, tuple(WINDOWS.schema.names[1:]))


def _rows(
    reader: Reader, form: TableForm, places: Collection[Place], columns: tuple[str, ...]
) -> pd.DataFrame:
    tables = [table for _, table in reader.tables(form, [place.in_table(form) for place in places], columns)]
    frame: pd.DataFrame = pa.concat_tables([part_of(form, columns).empty_table(), *tables]).to_pandas()
    return frame[list(columns)]


def _decoded(column: str, text: str | None, kind: type[_Json]) -> _Json:
    """What a column of JSON holds; nothing where it is null."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        found = text
    if found is None:
        return kind()
    if not isinstance(found, kind):
        msg = f"its {column} is no JSON {'object' if kind is dict else 'list'}"
        raise ValueError(msg)  # noqa: TRY004  # of a value in a file, not of a caller's type
    return found


def _kinds() -> dict[str, str]:
    kinds = {
        "started_at": "datetime64[us, UTC]",
        "duration_s": "float64",
        "block": "int64",
        "valid": "bool",
        "complete": "bool",
        "targets_met": "bool",
        "reasons": "object",
    }
    return {name: kinds.get(name, "str") for name in COLUMNS}
