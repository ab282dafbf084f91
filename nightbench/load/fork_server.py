"""A process that has imported what load generators need, and forks them: none waits for its imports.

A night starts six generators and three stewards, one after the other, and each would import for about a second. It is
asked on a socket that whatever it has forked has too, by one message with the files of the new process. See `forking`
for the process itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Self

from nightbench.processes import end
from nightbench.slots.inherited import slot_descriptors

ORDER_BYTES = 256
"""The length of what is asked for, which is the name of a generator."""
NUMBER = struct.Struct("!i")
"""What is answered: the id of the process, and its exit code when it has one."""
KILL = b"K"
OUTPUT_LIMIT = 2**20
"""Bytes of a generator's output that may wait to be read."""

_ENDS_WITHIN_SECONDS = 5.0
_asking: ContextVar[socket.socket | None] = ContextVar("nightbench_fork_server", default=None)


@asynccontextmanager
async def fork_server(modules: Sequence[str]) -> AsyncIterator[None]:
    """Have `forked` fork processes that have imported `modules`, for the length of the block.

    It imports beside whatever is done inside, and ends with this process. Where none can be started there is none:
    generators have a start of their own then.
    """
    ours, its = socket.socketpair()
    ours.setblocking(False)  # who does not take an order at once is no server
    with ours, its:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "nightbench.load.forking",
                str(its.fileno()),
                str(ours.fileno()),
                *modules,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(its.fileno(), ours.fileno()),
                # a thread beside the one that forks may hold a lock that nobody opens in the fork
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError:
            yield
            return
        its.close()
        token = _asking.set(ours)
        try:
            yield
        finally:
            _asking.reset(token)
            await end(process, grace=_ENDS_WITHIN_SECONDS)


def adopt(asking: socket.socket) -> None:
    """In a process that was forked: have `forked` ask the same server."""
    _asking.set(asking)


async def forked(generator: str) -> Forked | None:
    """Fork a process for `generator` (``module:name``); None where there is no server, or none any more."""
    asking = _asking.get()
    return None if asking is None else await Forked.by(asking, generator)


class Forked:
    """A process that the server has forked, as far as `nightbench.processes.Process` goes.

    The server is its parent: it tells its exit code on a socket that only this process has a part in, and kills it.

    Attributes:
        pid: Its id.
        returncode: None while it runs; that of a killed one when the server went away before it.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.stdin: asyncio.WriteTransport
        self.stdout = asyncio.StreamReader(limit=OUTPUT_LIMIT)
        self.stderr = asyncio.StreamReader(limit=OUTPUT_LIMIT)
        self._kill: asyncio.StreamWriter
        self._ended: asyncio.Task[int]

    @classmethod
    async def by(cls, asking: socket.socket, generator: str) -> Self | None:
        """Have the server at `asking` fork it; None when there is none."""
        process = cls()
        with ExitStack() as its:  # they are its own once they have been sent
            control, ours = socket.socketpair()
            its.enter_context(control)
            numbers, process._kill = await asyncio.open_unix_connection(sock=ours)
            descriptors = await process._connected(its)
            try:
                order = generator.encode().ljust(ORDER_BYTES)
                socket.send_fds(asking, [order], [*descriptors, control.fileno(), *slot_descriptors()])
            except OSError:
                process._close()
                return None
        try:
            (process.pid,) = NUMBER.unpack(await numbers.readexactly(NUMBER.size))
        except (asyncio.IncompleteReadError, OSError):
            process._close()
            return None
        except BaseException:
            process._close()
            raise
        process._ended = asyncio.create_task(process._exit_code(numbers))
        return process

    async def _connected(self, its: ExitStack) -> tuple[int, int, int]:
        """Connect standard input, output and errors; return the descriptors of the other ends, which `its` closes."""
        stdin, write = os.pipe()
        its.callback(os.close, stdin)
        loop = asyncio.get_running_loop()
        self.stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(write, "wb", 0))
        return stdin, await _heard_by(self.stdout, its), await _heard_by(self.stderr, its)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it at once."""
        self._kill.write(KILL)

    async def _exit_code(self, numbers: asyncio.StreamReader) -> int:
        code = -signal.SIGKILL
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            (code,) = NUMBER.unpack(await numbers.readexactly(NUMBER.size))
        self.returncode = code
        self._close()
        return code

    def _close(self) -> None:
        self._kill.close()
        self.stdin.close()


async def _heard_by(reader: asyncio.StreamReader, its: ExitStack) -> int:
    """The descriptor of a pipe whose other end `reader` has."""
    read, write = os.pipe()
    its.callback(os.close, write)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(read, "rb", 0))
    return write
