"""How much a process has read from storage and written to it, ever, as far as the system tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that went to and from storage; each None where the system does not tell.

    What the page cache served or took in is none of it (Linux: read_bytes and write_bytes of
    Documentation/filesystems/proc, /proc/<pid>/io).
    """

    read: int | None = None
    written: int | None = None

    @classmethod
    def by(cls, process: psutil.Process) -> Stored:
        """Of a process, all its threads, up to now."""
        try:
            counters = process.io_counters()
        # another user's, or ended; a system that does not count, or does so in words of its own
        except (psutil.Error, OSError, AttributeError, RuntimeError, ValueError):
            return cls()
        return cls(counters.read_bytes, counters.write_bytes)

    @classmethod
    def added(cls, parts: Iterable[Stored]) -> Stored:
        """Of all together: unknown when it is of one of them."""
        known = list(parts)
        return cls(_sum([each.read for each in known]), _sum([each.written for each in known]))

    def since(self, before: Stored) -> Stored:
        """Between two instants."""
        return Stored(_difference(self.read, before.read), _difference(self.written, before.written))


def _sum(parts: list[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else max(0, now - before)
