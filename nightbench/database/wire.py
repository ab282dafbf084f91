"""One connection's transactions in three round trips: libpq's calls, with psycopg's connection and its types.

psycopg's cursor begins a transaction in a round trip of its own, and spends more of the generator's CPU on a
statement than libpq does on waiting for it. Parameters are sent and rows are made by psycopg as ever, and what
runs often is prepared as often as psycopg prepares it.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from nightbench.plan import parameters

Row = tuple[Any, ...]
Types = tuple[int, ...]

MOST_PREPARED = 100
"""Statements that a connection keeps prepared, each with each combination of types of its parameters."""

_OK = int(ConnStatus.OK)
_ROWS, _DONE, _SYNC = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK), int(ExecStatus.PIPELINE_SYNC)
_GOOD = frozenset({_ROWS, _DONE})
_STALE = frozenset({b"0A000", b"26000"})
"""A prepared statement whose columns have changed since, or that the server does not know: it is prepared anew."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement as the server takes it.

    Attributes:
        sql: Its parameters as $1, $2, …
        names: Theirs, in this order.
        formats: One for each, as psycopg wants them.
    """

    sql: str
    names: tuple[str, ...] = ()
    formats: tuple[PyFormat, ...] = ()


@lru_cache(maxsize=1000)
def numbered(sql: str) -> Numbered:
    """A statement with parameters as ``%(name)s`` and percent signs as ``%%``."""
    names = parameters.parameters_in(sql)
    return Numbered(parameters.numbered(sql), names, (PyFormat.AUTO,) * len(names))


class Answer:
    """What a statement came to.

    Attributes:
        count: How many rows it read or changed.
    """

    __slots__ = ("_adaptation", "_result", "count")

    def __init__(self, result: PGresult, adaptation: abc.Transformer) -> None:
        self.count = result.ntuples if result.status == _ROWS else result.command_tuples or 0
        self._result = result
        self._adaptation = adaptation

    def rows(self) -> list[Row]:
        """Its rows, made now; to be asked for before the next statement of the connection."""
        if self._result.status != _ROWS:
            return []
        self._adaptation.set_pgresult(self._result)
        return self._adaptation.load_rows(0, self.count, tuple)


class _Use:
    """What a connection knows of one statement.

    Attributes:
        sql: In the connection's encoding.
        adaptation: Of its parameters and rows; looks each type up once.
        seen: How often it ran, by the types of its parameters, as long as it is not prepared.
        prepared: What it is called where it is, by the same.
    """

    __slots__ = ("adaptation", "prepared", "seen", "sql")

    def __init__(self, sql: bytes, connection: psycopg.Connection[Any]) -> None:
        self.sql = sql
        self.adaptation: abc.Transformer = Transformer(connection)
        self.seen: dict[Types, int] = {}
        self.prepared: dict[Types, bytes] = {}


class Wire:
    """The transactions of one connection, one at a time, each of one statement.

    All of it raises `psycopg.Error`, an `OperationalError` without an SQLSTATE when the connection is lost.

    Args:
        connection: Used by nobody else at the same time.
        settings: The statement that follows each BEGIN, its parameters as ``%s``; "" for none.

    Attributes:
        encoding: Of the connection, as Python calls it.
    """

    def __init__(self, connection: psycopg.Connection[Any], settings: str = "") -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self.encoding = connection.info.encoding
        self._uses: dict[str, _Use] = {}
        self._prepared = 0
        self._begin, self._commit = self._use("BEGIN"), self._use("COMMIT")
        self._begin_read_only = self._use("BEGIN READ ONLY")
        number = iter(range(1, 1 + settings.count("%s")))
        self._settings = self._use(re.sub("%s", lambda _: f"${next(number)}", settings)) if settings else None
        self._receiving, self._sending = select.poll(), select.poll()
        self._receiving.register(self._pgconn.socket, select.POLLIN)
        self._sending.register(self._pgconn.socket, select.POLLIN | select.POLLOUT)

    def begin(self, values: Sequence[bytes] = (), *, read_only: bool = False) -> None:
        """Begin a transaction and set its settings to `values`, in the connection's encoding, in one round trip."""
        pgconn, settings = self._pgconn, self._settings
        beginning = self._begin_read_only if read_only else self._begin
        if pgconn.status != _OK:
            raise psycopg.OperationalError("the connection is lost")
        if settings is None:
            result = pgconn.exec_(beginning.sql)
            if result.status not in _GOOD:
                raise self._error(result, beginning)
            return
        begin = beginning.prepared.get(()) or self._name(beginning, ())
        setting = settings.prepared.get(()) or self._name(settings, ())
        pgconn.enter_pipeline_mode()
        if begin is None or setting is None:
            pgconn.send_query_params(beginning.sql, None)
            pgconn.send_query_params(settings.sql, values)
        else:
            pgconn.send_query_prepared(begin, None)
            pgconn.send_query_prepared(setting, values)
        pgconn.pipeline_sync()
        for use, result in zip((beginning, settings), self._until_sync(), strict=False):
            if result.status not in _GOOD:
                raise self._error(result, use)

    def run(self, statement: Numbered, parameters: Mapping[str, Any]) -> Answer:
        """Run a statement and wait for all of its rows."""
        use = self._uses.get(statement.sql) or self._use(statement.sql)
        adaptation = use.adaptation
        # libpq takes None for null as well
        sent: Any = adaptation.dump_sequence(
            [parameters[name] for name in statement.names], statement.formats
        )
        types, formats = adaptation.types or (), adaptation.formats
        name = use.prepared.get(types) or self._name(use, types)
        if name is None:
            result = self._pgconn.exec_params(use.sql, sent, types, formats)
        else:
            result = self._pgconn.exec_prepared(name, sent, formats)
        if result.status not in _GOOD:
            raise self._error(result, use)
        return Answer(result, adaptation)

    def commit(self) -> None:
        """Commit, and wait for the answer."""
        result = self._pgconn.exec_(self._commit.sql)
        if result.status not in _GOOD:
            raise self._error(result, self._commit)

    def _use(self, sql: str) -> _Use:
        self._uses[sql] = use = _Use(sql.encode(self.encoding), self._connection)
        return use

    def _name(self, use: _Use, types: Types) -> bytes | None:
        """Prepare a statement when it ran so often that psycopg would; as what, None when it is left as it is."""
        seen = use.seen.get(types, 0)
        use.seen[types] = seen + 1
        threshold = self._connection.prepare_threshold
        if threshold is None or seen < threshold or self._prepared >= MOST_PREPARED:
            return None
        name = f"nightbench_{self._prepared}".encode()
        result = self._pgconn.prepare(name, use.sql, types)
        if result.status not in _GOOD:
            raise self._error(result, use)
        self._prepared += 1
        use.prepared[types] = name
        return name

    def _until_sync(self) -> list[PGresult]:
        """What was answered to all that was sent in pipeline mode, which ends."""
        pgconn = self._pgconn
        results: list[PGresult] = []
        while True:
            try:
                while pgconn.is_busy():
                    (self._sending if pgconn.flush() else self._receiving).poll()
                    pgconn.consume_input()
            except psycopg.OperationalError:
                # the server may have said why before it closed the connection
                if (last := pgconn.get_result()) is not None:
                    results.append(last)
                if not results:
                    raise
                return results
            result = pgconn.get_result()
            if result is None:  # between the answers to two statements
                continue
            if result.status == _SYNC:
                pgconn.exit_pipeline_mode()
                return results
            results.append(result)

    def _error(self, result: PGresult, use: _Use) -> psycopg.Error:
        """What is wrong with a result of a statement."""
        if result.error_field(DiagnosticField.SQLSTATE) in _STALE:
            use.prepared.clear()
        error = error_from_result(result, self.encoding)
        if error.sqlstate is None and self._pgconn.status != _OK:
            # of the result, which tells of the end alone; why the server ended it came before
            return psycopg.OperationalError(self._pgconn.error_message.decode(self.encoding, "replace"))
        return error
