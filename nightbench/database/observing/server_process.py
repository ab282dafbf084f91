"""What the server's processes use, when they are on this machine."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

import psutil
import psycopg

from nightbench.database.observation import ProcessFigures
from nightbench.load.storage import Stored

_NAMES = ("postgres", "postmaster")
_ELSEWHERE = "the server is not on this machine, or its processes cannot be seen from here"
_MIB = 2**20
_READINGS = 5
"""How often the processes are read when one ends in between; where it never stops, the last one counts."""


class ServerOutOfSightError(Exception):
    """Its processes are not to be seen; says why."""


@dataclass(frozen=True)
class Used:
    """What the processes of one server used up to an instant.

    Attributes:
        cpu_seconds: Also of those that have ended.
        private: Bytes of memory that are no other process's, of all.
        shared: Bytes of memory that others may have too, of the process with most of them.
        stored: Read from storage and written to it, also by those that have ended.
    """

    cpu_seconds: float
    private: int
    shared: int
    stored: Stored

    def since(self, before: Used) -> ProcessFigures:
        """What was used between two instants."""
        stored = self.stored.since(before.stored)
        return ProcessFigures(
            cpu_seconds=max(0.0, self.cpu_seconds - before.cpu_seconds),
            memory_mib=(self.private + self.shared) / _MIB,
            read_bytes=stored.read,
            written_bytes=stored.written,
        )


class ServerProcesses:
    """The postmaster that a connection leads to, and its children.

    What a child used goes to the postmaster when it ends (wait4, and task_io_accounting of Linux), so that
    nothing is lost with the connections that come and go.

    Raises:
        ServerOutOfSightError: when they are not on this machine, or not to be seen.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        try:
            self._postmaster = _postmaster(connection)
        except (psutil.Error, OSError) as error:
            raise ServerOutOfSightError(_ELSEWHERE) from error

    def is_that_of(self, connection: psycopg.Connection) -> bool:
        """Whether another connection leads to the same postmaster: it was not started anew."""
        try:
            return bool(_postmaster(connection) == self._postmaster)
        except (psutil.Error, OSError, ServerOutOfSightError):
            return False

    def used(self) -> Used:
        """What they used so far.

        Raises:
            ServerOutOfSightError: when the postmaster is not there any more.
        """
        try:
            ended, seen = self._each_once()
        except (psutil.Error, OSError) as error:
            raise ServerOutOfSightError("the server's processes have ended") from error
        return Used(
            cpu_seconds=ended + sum(part.cpu_seconds for part in seen),
            private=sum(part.private for part in seen),
            shared=max((part.shared for part in seen), default=0),
            stored=Stored.added(part.stored for part in seen),
        )

    def _each_once(self) -> tuple[float, list[Used]]:
        """CPU seconds of the children that have ended, and what the postmaster and the others used.

        One that ends between two readings would be in both or in neither: they are made until none does.
        """
        for _ in range(_READINGS):
            before = _of_ended(self._postmaster)
            everybody = [self._postmaster, *self._postmaster.children()]
            seen = [part for part in map(_used, everybody) if part is not None]
            ended = _of_ended(self._postmaster)
            if ended == before:
                break
        return ended, seen


def _of_ended(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def _used(process: psutil.Process) -> Used | None:
    """What one process used; None when it has just ended."""
    try:
        with process.oneshot():
            cpu, memory = process.cpu_times(), process.memory_info()
    except psutil.Error:
        return None
    shared = getattr(memory, "shared", 0)
    return Used(cpu.user + cpu.system, max(0, memory.rss - shared), shared, Stored.by(process))


def _postmaster(connection: psycopg.Connection) -> psutil.Process:
    """The parent of the connection's process, if it is surely the one at the other end of its socket."""
    backend = psutil.Process(connection.info.backend_pid)
    parent = backend.parent()
    if parent is None or not parent.name().startswith(_NAMES):
        raise ServerOutOfSightError(_ELSEWHERE)
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        if wire.family == socket.AF_UNIX:
            known = _peer(wire) == parent.pid
        else:
            # the server shows it in the title of the process; behind a tunnel or a proxy it is another
            known = f"({wire.getsockname()[1]})" in " ".join(backend.cmdline())
    if not known:
        raise ServerOutOfSightError(_ELSEWHERE)
    return parent


def _peer(wire: socket.socket) -> int | None:
    """Who listens at the other end of a unix socket; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid: int = struct.unpack("3i", wire.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))[0]
    return pid
