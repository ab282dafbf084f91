"""Data files that a plan names: rows of text from CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from nightbench.errors import ConfigurationError
from nightbench.files import read_file

MOST_BYTES = 256 * 2**20
"""Of the file, and of what a Parquet file holds once it is unpacked."""
MOST_VALUES = 10_000_000
"""Rows times columns; each is a text of its own in the memory of every shard."""

Row = dict[str, str]


class _NoDataError(Exception):
    """What is wrong with the content of a file, and the way out."""

    def __init__(self, problem: str, way_out: str = "") -> None:
        self.problem = problem
        self.way_out = way_out


def read_rows(name: str, setting: str) -> tuple[Row, ...]:
    """The rows of a file whose name ends in ``.csv`` or ``.parquet``; every value as text, null as "".

    A CSV file is UTF-8 with a header line; a quoted value may hold line breaks.

    Args:
        name: Of the file.
        setting: What names it.

    Raises:
        ConfigurationError: naming `setting`, when the file cannot be read, is torn, or has no row.
    """
    try:
        return _rows(name, setting)
    except _NoDataError as error:
        raise ConfigurationError(setting, name, error.problem, error.way_out) from None


def _rows(name: str, setting: str) -> tuple[Row, ...]:
    read = _READERS.get(PurePath(name).suffix.lower())
    if read is None:
        raise _NoDataError("is neither .csv nor .parquet", "name a file that ends in one of them")
    rows = tuple(read(read_file(name, setting, most=MOST_BYTES, way_out="name a CSV or Parquet file")))
    if not rows:
        raise _NoDataError("has no row", "a header line and at least one row of values")
    return rows


def _csv_rows(content: bytes) -> Iterator[Row]:
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
                _check_columns(columns)
            elif len(fields) != len(columns):
                problem = f"line {reader.line_num} has {len(fields)} values for {len(columns)} columns"
                raise _NoDataError(problem, 'a value that holds a comma stands in "quotes"')
            else:
                values += len(fields)
                _check_size(values)
                yield dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        raise _NoDataError(f"line {reader.line_num} is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise _NoDataError("is not UTF-8", "save it as UTF-8") from None


def _parquet_rows(content: bytes) -> tuple[Row, ...]:
    # every load generator imports this module, and few read such a file
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        held = file.metadata
        _check_size(held.num_rows * held.num_columns)
        if sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups)) > MOST_BYTES:
            raise _NoDataError(f"holds more than {MOST_BYTES // 2**20} MiB")
        table = file.read()
    except (pa.ArrowException, ValueError, OSError):  # its words name offsets and buffers
        raise _NoDataError("is no Parquet file, or a torn one") from None
    _check_columns(table.column_names)
    columns: dict[str, list[str]] = {}
    for column in table.column_names:
        values = table.column(column)
        try:
            columns[column] = [value or "" for value in values.cast(pa.string()).to_pylist()]
        except (pa.ArrowException, ValueError):
            problem = f"its column {column} is {values.type}, which is no text"
            raise _NoDataError(problem, "leave the column out, or write it as text") from None
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _check_size(values: int) -> None:
    if values > MOST_VALUES:
        raise _NoDataError(f"has more than {MOST_VALUES:,} values", "a sample of its rows will do")


def _check_columns(columns: list[str]) -> None:
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise _NoDataError(f"has two columns {twice!r}", "give each a name of its own")
    if "" in columns:
        raise _NoDataError("has a column without a name", "the first line names the columns")


_READERS: dict[str, Callable[[bytes], Iterable[Row]]] = {".csv": _csv_rows, ".parquet": _parquet_rows}
