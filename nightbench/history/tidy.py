"""Earlier runs as one tidy frame: a row for each metric of a run, which is what judging takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nightbench.history.fingerprint import fingerprint, fingerprint_of_row, text_of
from nightbench.history.places import Place
from nightbench.history.reader import Reader
from nightbench.history.reading import part_of
from nightbench.history.record import clean, clean_own, clean_text
from nightbench.history.remembered import Read, Remembered
from nightbench.history.schema import METRICS, RUNS, WINDOWS
from nightbench.history.span import Span, nights_in
from nightbench.measurement import Measurement

COLUMNS = (
    *("night", "suite", "tier", "metric", "value", "valid", "block", "role", "started_at", "fingerprint"),
    *("unit", "n", "run_id", "environment", "release"),
)
"""Of the frame: `night` is a night's id, `started_at` UTC, `fingerprint` the text of its parts, `value` and `release` NaN
when missing."""

_READ = (
    "night_id",
    "environment",
    "started_at",
    "valid",
    "role",
    "block",
    "fingerprint",
    "release",
    "name",
    "value",
    "unit",
    "n",
)
_AT_ONCE, _LEAST = 128, 16
"""Files that are read before it is looked at whether there are enough nights: at most, and where fewer seem missing."""

_STORED = {"night": "night_id", "metric": "name"}
_NULLS = {pa.int64(): 0, pa.int32(): 1, pa.bool_(): False}
"""What stands for a null that no file of nightbench has: of `n`, `block` and `valid`."""
_SHARED = ("role", "fingerprint", "unit", "run_id", "environment", "release")
"""Columns of few and long texts, which are categories: a year of them takes little memory."""
_KINDS = {
    **dict.fromkeys(("night", "suite", "tier", "metric"), "str"),
    **dict.fromkeys(_SHARED, "category"),
    "value": "float64",
    "valid": "bool",
    "block": "int64",
    "started_at": "datetime64[us, UTC]",
    "n": "int64",
}


def nights(
    reader: Reader, suite: str | None, tier: str | None, span: Span, remembered: Path | None = None
) -> pd.DataFrame:
    """The metrics of all runs of `span`, oldest first; see `COLUMNS`.

    What was read is kept in the folder `remembered` where one is given, and read from there the next time.
    """
    # a run is written to `runs` last: what is listed there has its metrics, if these are listed later
    known = reader.whole(RUNS, reader.places(RUNS, suite, tier))
    reader.whole(WINDOWS, reader.places(WINDOWS, suite, tier))
    whole = _with_both(reader, known, reader.places(METRICS, suite, tier))
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in whole:
        groups.setdefault((place.suite, place.tier), []).append(place)
    tables: list[pa.Table] = []
    for (of_suite, of_tier), found in groups.items():
        read = partial(_rows_of_files, reader)
        if remembered is None:
            tables += _of_group(read, found, span)
            continue
        stamps = {place.path: reader.stamp(place) for place in found}
        file = remembered / f"{of_suite}-{of_tier}.parquet"
        memory = Remembered(file, stamps, span.metrics or _any, read)
        tables += _of_group(memory.rows, found, span)
        memory.keep()
    return _frame(tables)


def rows_of(*runs: Measurement) -> pd.DataFrame:
    """The same rows of runs that may not have been stored, in the order given."""
    rows = [row for run in runs for row in _rows(run)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_KINDS)


def _rows(measurement: Measurement) -> Iterator[dict[str, Any]]:
    validity = measurement.validity
    shared = {
        "night": clean(measurement.night_id),
        "suite": measurement.suite,
        "tier": measurement.tier,
        "valid": validity.valid and validity.complete,
        "block": measurement.block,
        "role": measurement.role,
        "started_at": pd.Timestamp(measurement.started_at).tz_convert(UTC),
        "fingerprint": text_of(fingerprint(measurement)),
        "run_id": clean_text(measurement.run_id),
        "environment": clean(measurement.environment),
        "release": clean_own(measurement.release),
    }
    for metric in measurement.metrics:
        yield {
            **shared,
            "metric": clean(metric.name),
            "value": clean(metric.value),
            "unit": metric.unit,
            "n": metric.n,
        }


def _with_both(reader: Reader, runs: Sequence[Place], metrics: Sequence[Place]) -> list[Place]:
    """The files of metrics that belong to a run; a run without its own, which a save never leaves, is told."""
    names = {place.name for place in metrics}
    gone = [place for place in runs if place.name not in names]
    for place, _ in reader.tables(RUNS, gone):
        reader.skip(place.path, "its metrics are gone")
    exists = {place.name for place in runs}
    strays = [place for place in metrics if place.name not in exists]
    reader.whole(METRICS, strays)  # a save leaves none that is torn
    return [place for place in metrics if place.name in exists]


def _of_group(read: Read, places: Sequence[Place], span: Span) -> list[pa.Table]:
    """The rows of one suite and tier, oldest first."""
    wanted = [place for place in places if span.may_have(place)]
    tables: list[pa.Table] = []
    seen: set[str] = set()
    alike: set[str] = set()
    end = len(wanted)
    while end > 0 and (missing := span.missing(seen, alike)) > 0:  # the newest first
        first = max(0, end - _files(missing, len(seen), len(wanted) - end))
        table = _table(read(wanted[first:end]), span)
        seen |= nights_in(table)
        alike |= span.enough.alike(table) if span.enough is not None else set()
        tables.insert(0, table)
        end = first
    if span.enough is not None and (pinned := span.enough.pinned_among(wanted, end)):
        tables.insert(0, _table(read(pinned), span))
    return span.wanted(tables)


def _files(missing: float, nights: int, read: int) -> int:
    """How many files hold the missing nights, when so many nights were in those that were read."""
    files = missing * read / nights if nights else math.inf
    return _AT_ONCE if files >= _AT_ONCE else max(_LEAST, math.ceil(files))


def _table(rows: pa.Table, span: Span) -> pa.Table:
    """Those that are wanted, as the frame has them."""
    rows = rows.filter(span.rows(rows))
    return pa.table({name: _without_null(rows[_STORED.get(name, name)]) for name in COLUMNS})


def _rows_of_files(reader: Reader, places: Sequence[Place]) -> pa.Table:
    """The rows of some files of one suite and tier; each text is stored once."""
    read = list(reader.tables(METRICS, places, _READ))
    column = part_of(METRICS, _READ).get_field_index("fingerprint")  # by its place, of thousands of files
    older = _fingerprints(reader, [place for place, table in read if table.column(column).null_count])
    tables = [
        _with_fingerprint(table, older[place.name]) if place.name in older else table for place, table in read
    ]
    table = pa.concat_tables([part_of(METRICS, _READ).empty_table(), *tables]).combine_chunks()
    runs = np.repeat(np.arange(len(read), dtype=np.int32), [len(table) for table in tables])
    texts = {
        "run_id": [place.name for place, _ in read],
        "path": [place.path for place, _ in read],
    }
    for name, each in texts.items():
        table = table.append_column(name, pa.DictionaryArray.from_arrays(runs, pa.array(each, pa.string())))
    for name in ("suite", "tier"):
        text = pa.array([getattr(place, name) for place in places[:1]], pa.string())
        table = table.append_column(name, pa.DictionaryArray.from_arrays(np.zeros_like(runs), text))
    return pa.table({name: _once(table[name]) for name in table.column_names})


def _once(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def _without_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    null = _NULLS.get(column.type)
    return column if null is None else pc.fill_null(column, null)


def _any(_metric: str) -> bool:
    return True


def _frame(tables: list[pa.Table]) -> pd.DataFrame:
    """One frame of `tables`, which are given up."""
    if not tables:
        return _empty()
    table = pa.concat_tables(tables).unify_dictionaries()
    tables.clear()
    begun = table["started_at"].to_numpy()
    if (begun[1:] < begun[:-1]).any():
        table = table.take(np.argsort(begun, kind="stable"))
    for number, name in enumerate(COLUMNS):
        if _KINDS[name] == "str":
            table = table.set_column(number, name, table[name].cast(pa.large_string()))
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    for name in _SHARED:
        texts = frame[name].cat.remove_unused_categories()
        frame[name] = texts.cat.set_categories(sorted(texts.cat.categories))
    return frame.astype({"block": "int64"})


def _fingerprints(reader: Reader, places: Sequence[Place]) -> dict[str, str]:
    """The fingerprints of runs whose files are older than the column, from their rows in ``runs``, by id."""
    runs = [place.in_table(RUNS) for place in places]
    rows = reader.tables(RUNS, runs, ("host", "subject", "plan_hash", "subject_key"))
    return {
        place.name: text_of(fingerprint_of_row(table.slice(0, 1).to_pylist()[0]))
        for place, table in rows
        if len(table)
    }


def _with_fingerprint(table: pa.Table, text: str) -> pa.Table:
    column = table.schema.get_field_index("fingerprint")
    return table.set_column(column, "fingerprint", pa.repeat(pa.scalar(text, pa.string()), len(table)))


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=_KINDS[name]) for name in COLUMNS})
