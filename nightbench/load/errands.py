"""What a child process has its parent do while it runs, such as a load that other machines make.

The child asks on its standard output and hears on its standard input, which stays its lifeline: when that
ends, nobody answers any more.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import queue
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nightbench.errors import MeasurementError
from nightbench.load.messages import Message, Result, message_of, value_of
from nightbench.load.progress import OnProgress, Progress
from nightbench.processes import Input

LENGTH = struct.Struct("!I")
"""Before each pickled message, in both directions."""

Serve = Callable[[Any, OnProgress], Awaitable[Any]]
"""Does what a child asks for and returns the answer, picklable; tells it of the progress meanwhile."""


@dataclass(frozen=True)
class Errand:
    """A child asks for something."""

    request: Any = field(repr=False)


def framed(message: object) -> bytes:
    """A message as it travels."""
    payload = pickle.dumps(message)
    return LENGTH.pack(len(payload)) + payload


class Errands:
    """In the parent: sees to what a child asks for, one after the other."""

    def __init__(self, serve: Serve | None, stream: Input) -> None:
        self._serve = serve
        self._stream = stream
        self._running: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether the child waits for an answer."""
        return self._running is not None and not self._running.done()

    def take(self, errand: Errand) -> None:
        """Begin it."""
        self._running = asyncio.create_task(self._see_to(errand.request))

    async def done(self) -> None:
        """Wait until the child waits for nothing."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def close(self) -> None:
        """End what is under way; the child gets no answer."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _see_to(self, request: Any) -> None:
        if self._serve is None:
            answer: Message = message_of(MeasurementError("nobody does what the load generator asks for"))
        else:
            try:
                answer = Result(await self._serve(request, self._say))
            except Exception as error:  # noqa: BLE001  # whatever it is, the child tells it
                answer = message_of(error)
        self._say(answer)

    def _say(self, message: object) -> None:
        if not self._stream.is_closing():
            self._stream.write(framed(message))


class Lifeline:
    """In the child: its standard input, heard in a thread of its own."""

    def __init__(self, file: int, say: Callable[[object], None], on_end: Callable[[], None]) -> None:
        self._file = file
        self._say = say
        self._on_end = on_end
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def first(self) -> Any:
        """The first message: what the child is to do."""
        return pickle.loads(self._next())  # noqa: S301  # from our own parent

    def listen(self) -> None:
        """From now on, hear what comes, and call `on_end` when nothing will come any more."""
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def ask(self, request: Any, on_progress: OnProgress) -> Any:
        """Have the parent do something; blocks until it is done.

        Raises:
            ConfigurationError: as the parent raised it.
            MeasurementError: for any other error of the parent's, and when it is gone.
        """
        self._say(Errand(request))
        while True:
            message = self._heard.get()
            if isinstance(message, Progress):
                on_progress(message)
            else:
                return value_of(message)

    def _listen(self) -> None:
        try:
            while True:
                self._heard.put(pickle.loads(self._next()))  # noqa: S301  # from our own parent
        except (EOFError, OSError):
            self._on_end()
            self._heard.put(message_of(MeasurementError("whoever ran the load is gone")))

    def _next(self) -> bytes:
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        """So many bytes; not by `sys.stdin`: a thread that holds its lock at exit aborts the interpreter."""
        found = bytearray()
        while len(found) < size:
            if not (some := os.read(self._file, min(size - len(found), 2**20))):
                raise EOFError
            found += some
        return bytes(found)
