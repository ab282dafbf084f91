"""The rows of one file: what is torn, foreign or newer is told apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nightbench.files import reason
from nightbench.history.schema import VERSION, TableForm


@dataclass(frozen=True)
class UnreadableFile:
    """A file of the history that was skipped, and why."""

    path: Path | str
    problem: str


class UnreadableError(Exception):
    """Why one file cannot be part of the history."""


def rows_of(content: bytes, form: TableForm, schema: pa.Schema) -> pa.Table:
    """The rows of one file; a column that is younger than the file has the value that stands for it.

    Args:
        content: Of the file.
        form: Of the table that it is part of.
        schema: What to read, a part of the table's: see `part_of`.

    Raises:
        UnreadableError: when the file is torn, foreign, or written by a newer version, or lacks what each row
            has to say.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        table = file.read(columns=schema.names, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        msg = f"cannot be read: {reason(error)}"
        raise UnreadableError(msg) from None
    if len(set(table.column_names)) < len(table.column_names):
        msg = "has a column twice"
        raise UnreadableError(msg)
    fits = table.schema.equals(schema)
    if not fits and "schema_version" not in table.column_names:
        msg = "is not a file of nightbench: it has no schema_version"
        raise UnreadableError(msg)
    _check_version(table)
    table = table if fits else _fitted(table, form, schema)
    _check_known(table, form)
    return table


def part_of(form: TableForm, columns: Collection[str] | None) -> pa.Schema:
    """The schema of some columns in the order of the files, with that which tells the version first."""
    return pa.schema(
        [each for each in form.schema if columns is None or each.name in ("schema_version", *columns)]
    )


def _check_version(table: pa.Table) -> None:
    """One writer writes a file, so that one row tells the version of all."""
    newest = table["schema_version"][0].as_py() if len(table) else None
    if newest is not None and (not isinstance(newest, int) or newest > VERSION):
        msg = f"has schema {newest}, this nightbench knows {VERSION}; update nightbench"
        raise UnreadableError(msg)


def _check_known(table: pa.Table, form: TableForm) -> None:
    """A file without rows, or with rows that do not say what they are about, would be a silent gap."""
    if not len(table) and not form.may_be_empty:
        msg = "has no rows"
        raise UnreadableError(msg)
    columns = zip(table.schema.names, table.columns, strict=True)
    if names := [name for name, column in columns if name in form.known and column.null_count]:
        msg = f"has rows without {' and '.join(names)}"
        raise UnreadableError(msg)


def _fitted(table: pa.Table, form: TableForm, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, those that are younger than the file with what stands for them."""
    known = set(table.column_names)
    if missing := [name for name in schema.names if name not in known and name not in form.younger]:
        msg = f"lacks the columns {', '.join(missing)}"
        raise UnreadableError(msg)
    try:
        for field in schema:
            if field.name not in known:
                column = pa.repeat(pa.scalar(form.younger[field.name], field.type), len(table))
                table = table.append_column(field, column)
        return table.select(schema.names).cast(schema)
    except (ValueError, pa.ArrowException) as error:
        msg = f"has columns of another kind: {reason(error)}"
        raise UnreadableError(msg) from None
