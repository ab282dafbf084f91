"""A process that has imported what load generators need, and forks them: none waits for its imports.

A night starts six generators and three stewards, one after the other, and each would import for about a second. It is
asked on a socket that whatever it has forked has too, by one message with the files of the new process. See `forking`
for the process itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Self

from nightbench.processes import end
from nightbench.slots.inherited import slot_descriptors

ORDER_BYTES = 256
"""The length of what is asked for, which is the name of a generator."""
NUMBER = struct.Struct("!i")
"""What is answered: the id of the process, with a descriptor of it, and its exit code when it has one."""
OUTPUT_LIMIT = 2**20
"""Bytes of a generator's output that may wait to be read."""

_ANSWERS_WITHIN_SECONDS = 20.0
"""Imports included; a server that says nothing for so long is none any more."""
_TELLS_WITHIN_SECONDS = 1.0
"""How long the exit code of a process that has ended may take."""
_ENDS_WITHIN_SECONDS = 5.0
_asking: ContextVar[socket.socket | None] = ContextVar("nightbench_fork_server", default=None)


@asynccontextmanager
async def fork_server(modules: Sequence[str]) -> AsyncIterator[None]:
    """Have `forked` fork processes that have imported `modules`, for the length of the block.

    It imports beside whatever is done inside, and ends with this process. Where none can be started, or the system has
    no descriptors of processes (it is not Linux), there is none: generators have a start of their own then.
    """
    if not hasattr(os, "pidfd_open"):
        yield
        return
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

    The server is its parent, and tells its exit code. When it ends, and to kill it, needs no server.

    Attributes:
        pid: Its id.
        returncode: None while it runs; that of a killed one when the server went away before it.
    """

    def __init__(self, stdin: asyncio.WriteTransport) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.stdin = stdin
        self.stdout = asyncio.StreamReader(limit=OUTPUT_LIMIT)
        self.stderr = asyncio.StreamReader(limit=OUTPUT_LIMIT)
        self._descriptor = -1
        self._ended: asyncio.Task[int]

    @classmethod
    async def by(cls, asking: socket.socket, generator: str) -> Self | None:
        """Have the server at `asking` fork it; None when there is none, or it cannot."""
        order = generator.encode()
        if len(order) > ORDER_BYTES:
            return None
        control, its_control = socket.socketpair()
        control.setblocking(False)
        with ExitStack() as its, ExitStack() as failed:  # what is its own is closed once it has been sent
            its.enter_context(its_control)
            failed.enter_context(control)
            stdin, write = _pipe(its, its_end=0)
            transport = await _written_to(write)
            failed.callback(transport.close)
            process = cls(transport)
            others = [await _heard_by(reader, its) for reader in (process.stdout, process.stderr)]
            try:
                descriptors = [stdin, *others, its_control.fileno(), *slot_descriptors()]
                socket.send_fds(asking, [order.ljust(ORDER_BYTES)], descriptors)
                its.close()
                await process._told(control)
            except (OSError, EOFError):
                return None
            except TimeoutError:
                with suppress(OSError):
                    asking.shutdown(socket.SHUT_RDWR)  # nobody asks it again
                return None
            failed.pop_all()
        process._ended = asyncio.create_task(process._exit_code(control))
        return process

    async def _told(self, control: socket.socket) -> None:
        """Take its number and its descriptor.

        Raises:
            EOFError: when there is none.
            TimeoutError: when the server says nothing.
        """
        async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
            await _readable(control.fileno())
        told, descriptors, _, _ = socket.recv_fds(control, NUMBER.size, 1)
        if not descriptors:
            raise EOFError
        (self.pid,) = NUMBER.unpack(told)
        (self._descriptor,) = descriptors

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it at once.

        Raises:
            ProcessLookupError: when it has ended.
        """
        if self.returncode is not None:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def _exit_code(self, control: socket.socket) -> int:
        code = -signal.SIGKILL
        await _readable(self._descriptor)
        with control, suppress(OSError, struct.error):  # the server is gone
            async with asyncio.timeout(_TELLS_WITHIN_SECONDS):
                told = await asyncio.get_running_loop().sock_recv(control, NUMBER.size)
            (code,) = NUMBER.unpack(told)
        self.returncode = code
        os.close(self._descriptor)
        self.stdin.close()
        return code


async def _readable(descriptor: int) -> None:
    """Return when there is something to read; of a process, when it has ended."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


async def _written_to(descriptor: int) -> asyncio.WriteTransport:
    pipe = os.fdopen(descriptor, "wb", 0)
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, pipe)
    return transport


async def _heard_by(reader: asyncio.StreamReader, its: ExitStack) -> int:
    """The descriptor of a pipe whose other end `reader` has."""
    write, read = _pipe(its, its_end=1)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(read, "rb", 0))
    return write


def _pipe(its: ExitStack, *, its_end: int) -> tuple[int, int]:
    """Both ends of a pipe, that of the other process first, which `its` closes."""
    ends = os.pipe()
    its.callback(os.close, ends[its_end])
    return ends[its_end], ends[1 - its_end]
