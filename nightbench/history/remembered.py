"""Rows that were read once are remembered: the files of a dataset are never edited, and are thousands of small ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nightbench.errors import ConfigurationError
from nightbench.files import read_file, write_whole
from nightbench.history.places import Place
from nightbench.history.schema import VERSION
from nightbench.history.storage import Storage

Read = Callable[[Sequence[Place]], pa.Table]
"""Reads the rows of some files in their order: `path` tells which each is of, and what cannot be read has none."""

_MOST_BYTES = 64 * 2**20
_FORM = f"1 of schema {VERSION}"
_TOLD = b"nightbench"
"""The key of what the file says of itself: its form, and which metrics it leaves out."""


def folder_of(remembered: Path, storage: Storage) -> Path:
    """Where that of one dataset is remembered."""
    root = storage.location("")
    name = str(root.resolve() if isinstance(root, Path) else root)
    return remembered / hashlib.sha256(name.encode()).hexdigest()[:16]


class Remembered:
    """The rows of one suite and tier: from one file where they were read before, from the dataset otherwise.

    A file that is torn, foreign or of another version, or that leaves out what is wanted now, is made anew. A run
    of which no metric is wanted is read each time.

    Args:
        file: Where they are remembered.
        stamps: By path what changes when a file is replaced, of all that are listed: of others nothing is remembered.
        wanted: Whether a metric is wanted, by its name; others are left out.
        read: Reads the dataset.
    """

    def __init__(
        self, file: Path, stamps: Mapping[str, str], wanted: Callable[[str], bool], read: Read
    ) -> None:
        self._file, self._stamps, self._wanted, self._read = file, stamps, wanted, read
        self._left: set[str] = set()
        self._fresh: list[pa.Table] = []
        self._rows = self._stamped(read(()))
        self._rows = self._loaded()
        spans = _spans(self._rows)
        self._spans = {path: span for (path, stamp), span in spans.items() if stamps.get(path) == stamp}
        self._all_listed = len(self._spans) == len(spans)

    def rows(self, places: Sequence[Place]) -> pa.Table:
        """The wanted rows of some files in their order."""
        fresh = self._stamped(self._read([place for place in places if place.path not in self._spans]))
        spans = [self._spans[place.path] for place in places if place.path in self._spans]
        known = self._rows.take(np.concatenate([np.arange(0), *(np.arange(*span) for span in spans)]))
        if len(fresh):
            self._fresh.append(fresh)
            known = _in_order(known, fresh, places) if len(known) else fresh
        return known.drop_columns("stamp")

    def keep(self) -> None:
        """Remember what was read, and forget what is listed no more; it is no error when that cannot be written."""
        if self._all_listed and not self._fresh:
            return
        known = self._rows.filter(pc.is_in(self._rows["path"], pa.array(list(self._spans), pa.string())))
        # a fingerprint that could not be told is asked for again, and what could not be read told again
        lasting = (table.filter(pc.is_valid(table["fingerprint"])) for table in self._fresh)
        told = json.dumps({"form": _FORM, "left": sorted(self._left)})
        table = _compact(pa.concat_tables([known, *lasting])).replace_schema_metadata({_TOLD: told})
        with suppress(OSError):
            write_whole(self._file, lambda file: pq.write_table(table, file, compression="zstd"))

    def _stamped(self, table: pa.Table) -> pa.Table:
        """The wanted rows of `table`, with the stamp of each one's file."""
        names = pc.unique(table["name"]).to_pylist()
        wanted = list(filter(self._wanted, names))
        self._left.update({*names} - {*wanted})
        table = table.filter(pc.is_in(table["name"], pa.array(wanted, pa.string())))
        paths = table["path"].combine_chunks()
        stamps = pa.array([self._stamps[path] for path in paths.dictionary.to_pylist()], pa.string())
        return table.append_column("stamp", pa.DictionaryArray.from_arrays(paths.indices, stamps))

    def _loaded(self) -> pa.Table:
        """What the file has; nothing when it is of no use."""
        try:
            content = read_file(str(self._file), "cache", most=_MOST_BYTES)
            table = pq.ParquetFile(pa.BufferReader(content)).read()
            told = json.loads(table.schema.metadata[_TOLD])
            left = set(map(str, told["left"]))
            fits = told["form"] == _FORM and table.schema.equals(self._rows.schema)
            if not fits or any(map(self._wanted, left)):
                return self._rows
        except (ConfigurationError, OSError, ValueError, TypeError, KeyError, pa.ArrowException):
            return self._rows
        self._left = left
        return table.unify_dictionaries().combine_chunks()


def _spans(table: pa.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """Where the rows of each file begin and end, by its path and stamp."""
    paths, stamps = (table[name].combine_chunks() for name in ("path", "stamp"))
    begins = np.flatnonzero(np.diff(paths.indices.to_numpy(), prepend=-1))
    keys = zip(paths.take(begins).to_pylist(), stamps.take(begins).to_pylist(), strict=True)
    ends = [*begins[1:].tolist(), len(table)][: len(begins)]
    return dict(zip(keys, zip(begins.tolist(), ends, strict=True), strict=True))


def _in_order(known: pa.Table, fresh: pa.Table, places: Sequence[Place]) -> pa.Table:
    both = pa.concat_tables([known, fresh]).unify_dictionaries().combine_chunks()
    paths = both["path"].combine_chunks()
    numbers = {place.path: number for number, place in enumerate(places)}
    order = np.array([numbers.get(path, -1) for path in paths.dictionary.to_pylist()])
    return both.take(np.argsort(order[paths.indices.to_numpy()], kind="stable"))


def _compact(table: pa.Table) -> pa.Table:
    """The same rows without texts that none of them has any more."""
    columns = (
        column.cast(column.type.value_type).dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column
        for column in table.columns
    )
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
