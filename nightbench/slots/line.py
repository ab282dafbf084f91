"""The line of the runs of this machine for the slots that they need: locks that the kernel frees.

Two kinds of files, both locked (``flock``) for as long as whoever made them lives, also after SIGKILL:

- ``<digest>.slot``: a slot; locked by the run that has it, which it names. It is never removed, so that nobody locks
  a file that nobody else sees.
- ``<nanoseconds>-<random>-<digest>….ticket``: a place in the line. Whoever came first for a slot gets it first, and
  who needs several takes all of them or none.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from nightbench.slots.folder import made, slot_errors
from nightbench.slots.holder import Busy, Holder
from nightbench.slots.keys import SlotKey

_TICKET = ".ticket"
_MOST = 4096
"""Bytes of a file that are read."""


class Slots:
    """Slots that are held, each by the lock on an open file."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self.descriptors = tuple(descriptors)

    def free(self) -> None:
        """Free them at once, also where a child has inherited the open files."""
        for descriptor in self.descriptors:
            with suppress(OSError):  # a full disk; the lock is what counts
                os.ftruncate(descriptor, 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
        self.descriptors = ()


class PlaceInLine:
    """A place in the line for all of `keys`, from the begin of its block to the end."""

    def __init__(self, folder: Path, keys: Sequence[SlotKey], who: str) -> None:
        """Prepare; `who` names this run to others."""
        self._folder = folder
        self._keys = sorted(keys)
        self._me = Holder.this_process(who)
        self._ticket: Path | None = None
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Stand in line.

        Raises:
            ConfigurationError: when the folder cannot be used.
        """
        digests = "-".join(key.digest for key in self._keys)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}-{digests}{_TICKET}"
        with slot_errors(self._folder):
            hidden = made(self._folder) / f".{name}"
            self._descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                with suppress(OSError):  # a full disk; the lock is what counts
                    os.pwrite(self._descriptor, self._me.written(), 0)
                self._ticket = hidden.rename(self._folder / name)  # locked before anybody sees it
            except OSError:
                hidden.unlink(missing_ok=True)
                os.close(self._descriptor)
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._ticket is not None:
            self._ticket.unlink(missing_ok=True)
        os.close(self._descriptor)

    def take(self) -> Slots | Busy:
        """All slots, or who is in the way.

        Raises:
            ConfigurationError: when the folder cannot be used.
        """
        with slot_errors(self._folder):
            return self._ahead() or self._locked()

    def _ahead(self) -> Busy | None:
        """Who came before for one of the same slots, and still waits."""
        assert self._ticket is not None
        labels = {key.digest: key.label for key in self._keys}
        for ticket in sorted(self._folder.glob(f"[0-9]*{_TICKET}")):
            if ticket.name >= self._ticket.name:
                return None
            wanted = [digest for digest in ticket.stem.split("-")[2:] if digest in labels]
            if wanted and (content := _living(ticket)) is not None:
                return Busy(labels[wanted[0]], Holder.read(content), waits=True)
        return None

    def _locked(self) -> Slots | Busy:
        me = Holder.this_process(self._me.who).written()
        with ExitStack() as undo:
            descriptors = []
            for key in self._keys:
                path = self._folder / f"{key.digest}.slot"
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    holder = Holder.read(os.pread(descriptor, _MOST, 0))
                    os.close(descriptor)
                    return Busy(key.label, holder)
                undo.callback(Slots([descriptor]).free)
                with suppress(OSError):  # a full disk; the lock is what counts
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, me, 0)
                descriptors.append(descriptor)
            undo.pop_all()
        return Slots(descriptors)


def _living(ticket: Path) -> bytes | None:
    """What a ticket says, or None when whoever made it has ended; then it is removed."""
    try:
        descriptor = os.open(ticket, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, _MOST, 0)
    else:
        ticket.unlink(missing_ok=True)
        return None
    finally:
        os.close(descriptor)
