"""The data file of a WebSocket plan: rows of text from CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from nightbench.errors import ConfigurationError
from nightbench.files import read_file

SETTING = "data"

MOST_BYTES = 256 * 2**20
"""Of the file, and of what a Parquet file holds once it is unpacked."""
MOST_VALUES = 10_000_000
"""Rows times columns; each is a text of its own in the memory of every shard."""

Row = dict[str, str]


def read_rows(name: str) -> tuple[Row, ...]:
    """The rows of a file whose name ends in ``.csv`` or ``.parquet``; every value as text, null as "".

    A CSV file is UTF-8 with a header line; a quoted value may hold line breaks.

    Raises:
        ConfigurationError: when the file cannot be read, is torn, or has no row.
    """
    read = _READERS.get(PurePath(name).suffix.lower())
    if read is None:
        _refuse(name, "is neither .csv nor .parquet", "name a file that ends in one of them")
    content = read_file(name, SETTING, most=MOST_BYTES, way_out="name a CSV or Parquet file")
    rows = tuple(read(content, name))
    if not rows:
        _refuse(name, "has no row", "a header line and at least one row of values")
    return rows


def _csv_rows(content: bytes, name: str) -> Iterator[Row]:
    file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(file, strict=True)
    columns: list[str] = []
    values = 0
    try:
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
                values += len(fields)
                _check_size(values, name)
                yield dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        _refuse(name, f"line {reader.line_num} is no CSV: {error}")
    except UnicodeDecodeError:
        _refuse(name, "is not UTF-8", "save it as UTF-8")


def _parquet_rows(content: bytes, name: str) -> tuple[Row, ...]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        held = file.metadata
        _check_size(held.num_rows * held.num_columns, name)
        if sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups)) > MOST_BYTES:
            _refuse(name, f"holds more than {MOST_BYTES // 2**20} MiB")
        table = file.read()
    except (pa.ArrowException, ValueError, OSError):  # its words name offsets and buffers
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


def _check_size(values: int, name: str) -> None:
    if values > MOST_VALUES:
        _refuse(name, f"has more than {MOST_VALUES:,} values", "a sample of its rows will do")


def _check_columns(columns: list[str], name: str) -> None:
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        _refuse(name, f"has two columns {twice!r}", "give each a name of its own")
    if "" in columns:
        _refuse(name, "has a column without a name", "the first line names the columns")


def _refuse(name: str, problem: str, way_out: str = "") -> NoReturn:
    raise ConfigurationError(SETTING, name, problem, way_out) from None


_READERS: dict[str, Callable[[bytes, str], Iterable[Row]]] = {".csv": _csv_rows, ".parquet": _parquet_rows}
