"""One HTTP exchange whose time is bounded however slowly the server speaks."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead
from queue import Empty, SimpleQueue
from threading import Thread

from nightbench.alerts.head import WholeHead


@dataclass(frozen=True)
class Said:
    """What a server said.

    Attributes:
        status: HTTP's.
        headers: By lower-case name.
        body: Its first bytes, as many as were asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutOfTimeError(TimeoutError):
    """It took longer than it may in all."""


class Exchange:
    """One request and its answer, which another thread can break off; certificates are checked, nothing is followed.

    Args:
        scheme: ``http`` or ``https``.
        host: Whom to ask.
        port: None for that of the scheme.
        connect_seconds: That a connection and its TLS may take.
        most_bytes: Of an answer that are read.

    Attributes:
        reached: Whether the server has let us in.
    """

    def __init__(
        self, scheme: str, host: str, port: int | None, *, connect_seconds: float, most_bytes: int
    ) -> None:
        self._most_bytes = most_bytes
        self._broken_off = False
        self.reached = False
        if scheme == "https":
            context = ssl.create_default_context()
            self._connection: HTTPConnection = HTTPSConnection(
                host, port, timeout=connect_seconds, context=context
            )
        else:
            self._connection = HTTPConnection(host, port, timeout=connect_seconds)
        self._connection.response_class = WholeHead

    def speak(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, pause_seconds: float
    ) -> Said:
        """Ask and listen; a body shorter than it was announced is no answer.

        Args:
            method: HTTP's.
            path: With its query.
            body: None for none.
            headers: All but the length.
            pause_seconds: That the server may be silent for at a time.

        Raises:
            OSError: when the server cannot be reached or is silent for too long.
            HTTPException: when it speaks no HTTP, or stops in the middle.
            ValueError: when the request cannot be said in HTTP.
        """
        with closing(self._connection) as connection:
            connection.connect()
            self.reached = True
            if self._broken_off:
                raise OutOfTimeError
            connection.sock.settimeout(pause_seconds)
            with suppress(BrokenPipeError, ConnectionResetError):  # what is refused may be so before its end
                connection.request(method, path, body=body, headers=dict(headers))
            with closing(connection.getresponse()) as answer:  # it has the socket now
                said = answer.read(self._most_bytes)
                if answer.length and len(said) < self._most_bytes:
                    raise IncompleteRead(said, answer.length)
                return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, said)

    def break_off(self) -> None:
        """Make whoever waits for the server stop waiting."""
        self._broken_off = True
        if (sock := self._connection.sock) is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def in_time(seconds: float, speak: Callable[[], Said], break_off: Callable[[], None]) -> Said:
    """What `speak` gives, within so many seconds.

    It runs in a thread: a timeout of a socket starts anew with each byte, and looking up a name has none.

    Raises:
        OutOfTimeError: when it took longer; it was broken off.
        Exception: whatever `speak` raised.
    """
    heard: SimpleQueue[Said | Exception] = SimpleQueue()

    def run() -> None:
        try:
            heard.put(speak())
        except Exception as error:  # noqa: BLE001  # raised again where somebody waits for it
            heard.put(error)

    Thread(target=run, name="nightbench-exchange", daemon=True).start()
    try:
        found = heard.get(timeout=seconds)
    except Empty:
        break_off()
        raise OutOfTimeError from None
    if isinstance(found, Exception):
        try:
            raise found
        finally:
            del found  # which knows this frame, and it the sockets below
    return found
