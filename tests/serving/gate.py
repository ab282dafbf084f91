"""An address of this machine that leads to a server as long as it is open: to its clients, shut, the server is away."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BYTES = 65536


class Gate:
    """Opened by `gate`.

    Attributes:
        port: Where it is.
    """

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.port = 0

    def open(self) -> None:
        """Lead to the server."""
        self._listener = listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._take, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and cut those that there are."""
        assert self._listener is not None
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _take(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(self._server)
                self._open |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_BYTES):
                sink.sendall(data)
        self._open.discard(source)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        if sink not in self._open:
            source.close()
            sink.close()


@contextmanager
def gate(server_port: int) -> Iterator[Gate]:
    """One that is open, in front of the server of a port."""
    made = Gate(server_port)
    made.open()
    try:
        yield made
    finally:
        made.shut()
