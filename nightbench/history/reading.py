"""Reading the files of one table: what is torn, foreign or newer is told apart and never raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nightbench.files import reason
from nightbench.history.schema import ABSENT
from nightbench.measurement import SCHEMA

_PLACE = re.compile(
    r"suite=(?P<suite>[a-z]+)/tier=(?P<tier>[a-z]+)/month=(?P<month>\d{4}-\d{2})/(?P<run_id>[^/]+)\.parquet"
)


@dataclass(frozen=True)
class UnreadableFile:
    """A file of the history that was skipped, and why."""

    path: Path
    problem: str


@dataclass(frozen=True)
class Place:
    """Where a file lies inside its table, which says what it is about."""

    path: Path
    suite: str
    tier: str
    month: str


class UnreadableError(Exception):
    """Why one file cannot be part of the history."""


def files_of(table: Path) -> Iterator[Path]:
    """Every file of a table in a fixed order; names that start with a dot or underscore are no data."""
    for path in sorted(table.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(table).parts)
        if not hidden and not path.is_dir():
            yield path


def place_of(table: Path, path: Path) -> Place:
    """Read suite, tier and month off the path.

    Raises:
        UnreadableError: when the file lies where none of the dataset does.
    """
    found = _PLACE.fullmatch(path.relative_to(table).as_posix())
    if found is None:
        msg = "not part of the dataset, whose files are suite=…/tier=…/month=…/RUN.parquet"
        raise UnreadableError(msg)
    return Place(path, found["suite"], found["tier"], found["month"])


def read_rows(path: Path, schema: pa.Schema) -> pa.Table:
    """The rows of one file in `schema`; a column that is younger than the file has the value that stands for it.

    Raises:
        UnreadableError: when the file is torn, foreign, or written by a newer version.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_columns(file, schema)
            table = file.read(columns=schema.names, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        msg = f"cannot be read: {reason(error)}"
        raise UnreadableError(msg) from None
    newest = pc.max(table["schema_version"]).as_py()
    if newest is not None and (not isinstance(newest, int) or newest > SCHEMA):
        msg = f"has schema {newest}, this nightbench knows {SCHEMA}; update nightbench"
        raise UnreadableError(msg)
    try:
        return _with_absent(table, schema).select(schema.names).cast(schema)
    except (ValueError, pa.ArrowException) as error:
        msg = f"has columns of another kind: {reason(error)}"
        raise UnreadableError(msg) from None


def _with_absent(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for name in schema.names:
        if name not in table.schema.names:
            column = pa.repeat(pa.scalar(ABSENT[name], schema.field(name).type), len(table))
            table = table.append_column(name, column)
    return table


def check_columns(file: pq.ParquetFile, schema: pa.Schema) -> None:
    """Hold the columns of an open file against `schema`.

    Raises:
        UnreadableError: when one is missing that every file has.
    """
    names = set(file.schema_arrow.names)
    missing = [name for name in schema.names if name not in names and name not in ABSENT]
    if "schema_version" in names and missing:
        msg = f"lacks the columns {', '.join(missing)}"
        raise UnreadableError(msg)
    if missing:
        msg = "is not a file of nightbench: it has no schema_version"
        raise UnreadableError(msg)


def check_footer(path: Path, schema: pa.Schema) -> None:
    """Look at a file without reading its rows.

    Raises:
        UnreadableError: when it is torn or foreign.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_columns(file, schema)
    except (OSError, pa.ArrowException) as error:
        msg = f"cannot be read: {reason(error)}"
        raise UnreadableError(msg) from None
