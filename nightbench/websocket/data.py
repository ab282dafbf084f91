"""The data file of a WebSocket plan: rows of text from CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from nightbench.errors import ConfigurationError
from nightbench.files import reason

SETTING = "data"

Row = dict[str, str]


def read_rows(name: str) -> tuple[Row, ...]:
    """The rows of a file whose name ends in ``.csv`` or ``.parquet``; every value as text, null as "".

    A CSV file is UTF-8 with a header line; a quoted value may hold line breaks.

    Raises:
        ConfigurationError: when the file cannot be read, is torn, or has no row.
    """
    try:
        path = Path(name).expanduser()
        match path.suffix.lower():
            case ".csv":
                rows = tuple(_csv_rows(path, name))
            case ".parquet":
                rows = _parquet_rows(path, name)
            case _:
                _refuse(name, "is neither .csv nor .parquet", "name a file that ends in one of them")
    except (OSError, RuntimeError) as error:  # RuntimeError: no such home folder
        _refuse(name, f"cannot be read: {reason(error)}")
    if not rows:
        _refuse(name, "has no row", "a header line and at least one row of values")
    return rows


def _csv_rows(path: Path, name: str) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns: list[str] = []
            for fields in reader:
                if not fields:
                    continue
                if not columns:
                    columns = fields
                    _check_columns(columns, name)
                elif len(fields) != len(columns):
                    problem = f"line {reader.line_num} has {len(fields)} values for {len(columns)} columns"
                    _refuse(name, problem, 'a value that holds a comma stands in "quotes"')
                else:
                    yield dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        _refuse(name, f"line {reader.line_num} is no CSV: {error}")
    except UnicodeDecodeError:
        _refuse(name, "is not UTF-8", "save it as UTF-8")


def _parquet_rows(path: Path, name: str) -> tuple[Row, ...]:
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
    except (pa.ArrowException, ValueError):  # its words name offsets and buffers
        _refuse(name, "is no Parquet file, or a torn one")
    _check_columns(table.column_names, name)
    columns: dict[str, list[str]] = {}
    for column in table.column_names:
        values = table.column(column)
        try:
            columns[column] = [value or "" for value in values.cast(pa.string()).to_pylist()]
        except (pa.ArrowException, ValueError):
            problem = f"its column {column} is {values.type}, which is no text"
            _refuse(name, problem, "leave the column out, or write it as text")
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _check_columns(columns: list[str], name: str) -> None:
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        _refuse(name, f"has two columns {twice!r}", "give each a name of its own")
    if "" in columns:
        _refuse(name, "has a column without a name", "the first line names the columns")


def _refuse(name: str, problem: str, way_out: str = "") -> NoReturn:
    raise ConfigurationError(SETTING, name, problem, way_out) from None
