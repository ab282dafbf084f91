"""The head of an HTTP answer, which counts only when it is whole and final."""

from __future__ import annotations

from http.client import HTTPResponse, IncompleteRead
from typing import IO, Final

_MOST_INTERIM: Final = 20
"""Answers of 1xx before the final one; who sends more sends them for ever."""


class WholeHead(HTTPResponse):
    """An answer for `http.client` that it takes no end of a connection for the end of a head, nor 103 for an answer.

    RFC 9112, 8: a message whose head is not whole is incomplete. RFC 9110, 15.2: a client reads past any 1xx.
    """

    def begin(self) -> None:
        """Read the head.

        Raises:
            HTTPException: when there is none, or not all of it.
        """
        connection = self.fp
        self.fp = _Lines(connection)  # type: ignore[assignment]  # all that a head is read with
        for _ in range(_MOST_INTERIM):
            super().begin()
            if self.status >= 200:
                self.fp = connection
                return
            self.headers = self.msg = None  # type: ignore[assignment]  # as before it was begun
        raise IncompleteRead(b"")


class _Lines:
    def __init__(self, connection: IO[bytes]) -> None:
        self._connection = connection

    def readline(self, limit: int = -1) -> bytes:
        line = self._connection.readline(limit)
        if not line:
            raise IncompleteRead(line)
        return line

    def flush(self) -> None:
        self._connection.flush()

    def close(self) -> None:
        self._connection.close()
