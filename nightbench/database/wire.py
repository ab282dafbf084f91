"""One connection's transactions in three round trips: libpq's calls, with psycopg's connection and its types.

psycopg's cursor begins a transaction in a round trip of its own, and spends more of the generator's CPU on a
statement than libpq does on waiting for it. Values are sent and rows are loaded by psycopg as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]

MOST_PREPARED = 100
"""Statements that a connection keeps prepared, each with each combination of types of its parameters."""

_PARAMETER = re.compile(r"%%|%\((?P<name>[^)]*)\)s")
_OK = int(ConnStatus.OK)
_ROWS, _DONE = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)
_COMMIT = b"COMMIT"
_STALE = frozenset({"0A000", "26000"})
"""A prepared statement whose columns have changed since, or that the server does not know: the next run prepares
it anew."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement as the server takes it.

    Attributes:
        sql: Its parameters as $1, $2, …
        names: Theirs, in this order.
        formats: One for each, as `Transformer.dump_sequence` wants them.
    """

    sql: str
    names: tuple[str, ...]
    formats: tuple[PyFormat, ...]


@lru_cache(maxsize=1000)
def numbered(sql: str) -> Numbered:
    """A statement with parameters as ``%(name)s`` and percent signs as ``%%``."""
    places: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found["name"]
        return "%" if name is None else f"${places.setdefault(name, len(places) + 1)}"

    text = _PARAMETER.sub(place, sql)
    return Numbered(text, tuple(places), (PyFormat.AUTO,) * len(places))


def opening(settings: str, values: Sequence[str]) -> str:
    """What begins a transaction and runs the statement `settings` in it, in one round trip.

    Args:
        settings: Its parameters as ``%s``; "" for none.
        values: Those parameters.
    """
    return f"BEGIN; {settings % tuple(_literal(value) for value in values)}"


def _literal(text: str) -> str:
    """`text` quoted, whatever the server's standard_conforming_strings."""
    quoted = text.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in quoted else f"'{quoted}'"


@dataclass(slots=True)
class _Use:
    """What a connection knows of one statement.

    Attributes:
        adaptation: Of its parameters and rows; looks each type up once.
        seen: How often it ran, by the types of its parameters, as long as it is not prepared.
        prepared: What it is called where it is.
    """

    adaptation: abc.Transformer
    seen: dict[tuple[int, ...], int] = field(default_factory=dict)
    prepared: dict[tuple[int, ...], bytes] = field(default_factory=dict)


class Wire:
    """The transactions of one connection, one at a time, each of one statement.

    All of it raises `psycopg.Error`, an `OperationalError` without an SQLSTATE when the connection is lost.

    Args:
        connection: Not in pipeline mode.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._encoding = connection.info.encoding
        self._uses: dict[str, _Use] = {}
        self._prepared = 0

    def begin(self, message: str) -> None:
        """Send an `opening` and wait for its answer."""
        if self._pgconn.status != _OK:
            raise psycopg.OperationalError("the connection is lost")
        result = self._pgconn.exec_(message.encode(self._encoding))
        if result.status not in (_ROWS, _DONE):
            raise self._error(result)

    def run(self, statement: Numbered, parameters: Mapping[str, Any]) -> tuple[list[Row], int]:
        """Run a statement; its rows, and how many it read or changed."""
        use = self._uses.get(statement.sql)
        if use is None:
            use = self._uses[statement.sql] = _Use(Transformer(self._connection))
        adaptation = use.adaptation
        result = self._answer(use, statement, [parameters[name] for name in statement.names])
        if result.status == _ROWS:
            adaptation.set_pgresult(result)
            count = result.ntuples
            return adaptation.load_rows(0, count, tuple), count
        if result.status != _DONE:
            error = self._error(result)
            if error.sqlstate in _STALE:
                use.prepared.clear()
            raise error
        return [], result.command_tuples or 0

    def commit(self) -> None:
        """Commit, and wait for the answer."""
        result = self._pgconn.exec_(_COMMIT)
        if result.status != _DONE:
            raise self._error(result)

    def _answer(self, use: _Use, statement: Numbered, values: list[Any]) -> PGresult:
        adaptation = use.adaptation
        sent: Any = adaptation.dump_sequence(values, statement.formats)  # libpq takes None too
        types, formats = adaptation.types or (), adaptation.formats
        name = use.prepared.get(types) or self._prepare(use, statement, types)
        if name is None:
            return self._pgconn.exec_params(statement.sql.encode(self._encoding), sent, types, formats)
        return self._pgconn.exec_prepared(name, sent, formats)

    def _prepare(self, use: _Use, statement: Numbered, types: tuple[int, ...]) -> bytes | None:
        """Prepare a statement that ran so often that psycopg would; its name, None when it is left as it is."""
        seen = use.seen.get(types, 0)
        use.seen[types] = seen + 1
        threshold = self._connection.prepare_threshold
        if threshold is None or seen < threshold or self._prepared >= MOST_PREPARED:
            return None
        name = f"nightbench_{self._prepared}".encode()
        result = self._pgconn.prepare(name, statement.sql.encode(self._encoding), types)
        if result.status != _DONE:
            raise self._error(result)
        self._prepared += 1
        use.prepared[types] = name
        return name

    def _error(self, result: PGresult) -> psycopg.Error:
        error = error_from_result(result, self._encoding)
        if error.sqlstate is None and self._pgconn.status != _OK:
            # of the result, which tells of the end alone; why the server ended it came before
            return psycopg.OperationalError(self._pgconn.error_message.decode(self._encoding, "replace"))
        return error
