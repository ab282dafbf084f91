"""Who works on the outbox: never two at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_WIDTH = 20  # of the number in the file: one writing replaces another's whole


@dataclass(frozen=True)
class Hold:
    """Whether the outbox is ours.

    Attributes:
        ours: So it is, as long as the block lasts.
        other: The process that has it instead, where it is known.
    """

    ours: bool
    other: int | None = None


@contextmanager
def hold(file: Path) -> Iterator[Hold]:
    """Have the outbox alone inside the block, unless another process, or another thread, has it.

    The kernel lets go of the lock of a process that ends, however it ends.

    Raises:
        OSError: when there can be no lock: the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield Hold(ours=False, other=_other(descriptor))
            return
        with suppress(OSError):  # a full disk takes no number; the lock is the kernel's
            os.pwrite(descriptor, f"{os.getpid():<{_WIDTH}}".encode(), 0)
        yield Hold(ours=True)
    finally:
        os.close(descriptor)


def _other(descriptor: int) -> int | None:
    try:
        return int(os.pread(descriptor, _WIDTH, 0))
    except ValueError:
        return None
