"""The open files that hold the slots of a run, for the processes that it loads its subject with.

A slot is free when the last of them has ended: a run that is killed leaves its load generator behind for a
moment, and what it still sends must not meet the load of the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_descriptors: ContextVar[tuple[int, ...]] = ContextVar("nightbench_slot_descriptors", default=())


def slot_descriptors() -> tuple[int, ...]:
    """The file descriptors to pass to a child that loads the subject, as in ``pass_fds``."""
    return _descriptors.get()


@contextmanager
def inherited(descriptors: Sequence[int]) -> Iterator[None]:
    """Have `slot_descriptors` name them inside the block."""
    token = _descriptors.set(tuple(descriptors))
    try:
        yield
    finally:
        _descriptors.reset(token)
