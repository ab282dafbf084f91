"""Who works on the outbox or on what is remembered in it: never two at once."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PAUSE_SECONDS = 0.02
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
def hold(file: Path, *, patience: float = 0.0) -> Iterator[Hold]:
    """Have what `file` stands for alone inside the block, unless another process, or another thread, has it.

    The kernel lets go of the lock of a process that ends, however it ends.

    Args:
        file: The lock; made where there is none.
        patience: Seconds that another may take to let go.

    Raises:
        OSError: when there can be no lock: the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _locked(descriptor, patience):
            yield Hold(ours=False, other=_other(descriptor))
            return
        with suppress(OSError):  # a full disk takes no number; the lock is the kernel's
            os.pwrite(descriptor, f"{os.getpid():<{_WIDTH}}".encode(), 0)
        yield Hold(ours=True)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, patience: float) -> bool:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True


def _other(descriptor: int) -> int | None:
    try:
        return int(os.pread(descriptor, _WIDTH, 0))
    except ValueError:
        return None
