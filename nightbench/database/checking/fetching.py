"""The first rows of a read, whatever it would read in all."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import psycopg

from nightbench.database.draws import Parameters


@dataclass(frozen=True)
class Column:
    """A column as the protocol tells it.

    Attributes:
        oid: Of its type.
        modifier: Length or precision of the type, -1 without one.
    """

    name: str
    oid: int
    modifier: int


@dataclass(frozen=True)
class Fetched:
    """Rows that were read.

    Attributes:
        more: Whether there may be more than these.
    """

    columns: Sequence[Column]
    rows: Sequence[tuple[Any, ...]]
    more: bool


NOTHING = Fetched((), (), more=False)


def fetch(connection: psycopg.Connection, sql: str, parameters: Parameters, *, most: int) -> Fetched:
    """Run a read and fetch `most` rows of it; in a transaction, which goes on.

    Raises:
        psycopg.Error: what the server has against it.
    """
    cursor = connection.cursor()
    stream = cast("Generator[tuple[Any, ...], None, None]", cursor.stream(sql.encode(), parameters))
    with (
        # a read that is broken off has failed, and would take the transaction along
        connection.transaction(force_rollback=True),
        closing(stream),
    ):
        rows = list(islice(stream, most))
    if not rows:  # a stream without any tells no columns
        cursor.execute(sql.encode(), parameters)
    result = cursor.pgresult
    columns = [
        Column(each.name, each.type_code, -1 if result is None else result.fmod(place))
        for place, each in enumerate(cursor.description or ())
    ]
    return Fetched(columns, rows, more=len(rows) == most)
