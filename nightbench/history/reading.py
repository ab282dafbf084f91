"""The rows of one file: what is torn, foreign or newer is told apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Part:
    """What is read of each file of a table: thousands of them, so that names are looked up once.

    Attributes:
        form: Of the table.
        schema: A part of the table's: see `part_of`.
    """

    form: TableForm
    schema: pa.Schema

    @cached_property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self.schema.names)

    @cached_property
    def known(self) -> list[tuple[int, str]]:
        """The columns that are never null, with their places."""
        return [(place, name) for place, name in enumerate(self.names) if name in self.form.known]


def rows_of(content: bytes, part: Part) -> pa.Table:
    """The rows of one file; a column that is younger than the file has the value that stands for it.

    Args:
        content: Of the file.
        part: What to read of it.

    Raises:
        UnreadableError: when the file is torn, foreign, or written by a newer version, or lacks what each row
            has to say.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        table = file.read(columns=part.names, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        msg = f"cannot be read: {reason(error)}"
        raise UnreadableError(msg) from None
    fits = table.schema.equals(part.schema)
    if not fits and len(set(table.column_names)) < len(table.column_names):
        msg = "has a column twice"
        raise UnreadableError(msg)
    if not fits and "schema_version" not in table.column_names:
        msg = "is not a file of nightbench: it has no schema_version"
        raise UnreadableError(msg)
    _check_version(table)
    table = table if fits else _fitted(table, part)
    _check_known(table, part)
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


def _check_known(table: pa.Table, part: Part) -> None:
    """A file without rows, or with rows that do not say what they are about, would be a silent gap."""
    if not len(table) and not part.form.may_be_empty:
        msg = "has no rows"
        raise UnreadableError(msg)
    if names := [name for place, name in part.known if table.column(place).null_count]:
        msg = f"has rows without {' and '.join(names)}"
        raise UnreadableError(msg)


def _fitted(table: pa.Table, part: Part) -> pa.Table:
    """The columns of `part`, those that are younger than the file with what stands for them."""
    known, younger = set(table.column_names), part.form.younger
    if missing := [name for name in part.names if name not in known and name not in younger]:
        msg = f"lacks the columns {', '.join(missing)}"
        raise UnreadableError(msg)
    try:
        for field in part.schema:
            if field.name not in known:
                column = pa.repeat(pa.scalar(younger[field.name], field.type), len(table))
                table = table.append_column(field, column)
        return table.select(part.names).cast(part.schema)
    except (ValueError, pa.ArrowException) as error:
        msg = f"has columns of another kind: {reason(error)}"
        raise UnreadableError(msg) from None
