"""The line of the runs of this machine for the slots that they need: locks that the kernel frees.

Two kinds of files, both locked (``flock``) for as long as whoever made them lives, also after SIGKILL:

- ``<digest>.slot``: a slot; locked by the run that has it, which it names. We never remove it. Where somebody else
  does, the run that has the slot still has its name (`nightbench.slots.name`), without which nobody gets it.
- ``<nanoseconds>-<random>-<digest>….ticket``: a place in the line, touched whenever its run looks whether it is its
  turn. Whoever came first for a slot gets it first, and who needs several takes all of them or none. A run that has
  been stopped, as by Ctrl-Z, is passed over until it goes on.
"""

from __future__ import annotations

import errno
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
from nightbench.slots.lock_file import is_at, made_ticket, opened_slot, opened_ticket
from nightbench.slots.name import kept_name

_TICKET = ".ticket"
_MOST = 4096
"""Bytes of a file that are read."""
_TRIES = 5
"""To lock a file that somebody removes at that moment."""

_REMOVED = "somebody has removed its file from the folder of the slots: run again when it has ended"

STOPPED_SECONDS = 30.0
"""After which a ticket that nobody has touched keeps no one else waiting; whoever waits touches it twice a second."""


class Slots:
    """Slots that are held, each by its name and by the lock on its file, in this order."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self.descriptors = tuple(descriptors)

    def free(self) -> None:
        """Free them as soon as no child has them either."""
        for descriptor in self.descriptors:
            with suppress(OSError):  # a name has nothing in it; of a full disk, the lock is what counts
                os.ftruncate(descriptor, 0)
            os.close(descriptor)
        self.descriptors = ()


class PlaceInLine:
    """A place in the line for all of `keys`, from the begin of its block to the end."""

    def __init__(self, folder: Path, keys: Sequence[SlotKey], who: str) -> None:
        """Prepare; `who` names this run to others."""
        self._folder = folder
        self._keys = sorted(keys)
        self._me = Holder.this_process(who)
        digests = "-".join(key.digest for key in self._keys)
        self._ticket = folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}-{digests}{_TICKET}"
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Stand in line.

        Raises:
            ConfigurationError: when the folder cannot be used.
        """
        with slot_errors(self._folder):
            self._descriptor = self._stood()
        return self

    def __exit__(self, *_: object) -> None:
        self._ticket.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _stood(self) -> int:
        """Make the ticket, and return its descriptor."""
        hidden = made(self._folder) / f".{self._ticket.name}"
        descriptor = made_ticket(hidden)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with suppress(OSError):  # a full disk; the lock is what counts
                os.pwrite(descriptor, self._me.written(), 0)
            hidden.rename(self._ticket)  # locked before anybody sees it
        except OSError:
            hidden.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor

    def take(self) -> Slots | Busy:
        """All slots, or who is in the way.

        Raises:
            ConfigurationError: when the folder cannot be used.
        """
        with slot_errors(self._folder):
            self._go_on_waiting()
            return self._ahead() or self._locked()

    def _go_on_waiting(self) -> None:
        """Show that we do; a ticket that somebody has removed is made again, for the same place."""
        if is_at(self._descriptor, self._ticket):
            os.utime(self._descriptor)
            return
        removed, self._descriptor = self._descriptor, self._stood()
        os.close(removed)

    def _ahead(self) -> Busy | None:
        """Who came before for one of the same slots, and still waits."""
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
            descriptors: list[int] = []
            for key in self._keys:
                got = _slot(self._folder / f"{key.digest}.slot", key)
                if isinstance(got, Busy):
                    return got
                undo.callback(got.free)
                with suppress(OSError):  # a full disk; the lock is what counts
                    os.ftruncate(got.descriptors[-1], 0)
                    os.pwrite(got.descriptors[-1], me, 0)
                descriptors += got.descriptors
            undo.pop_all()
        return Slots(descriptors)


def _slot(path: Path, key: SlotKey) -> Slots | Busy:
    """The one slot whose file is at `path`, or who has it."""
    for _ in range(_TRIES):
        descriptor = opened_slot(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_at(descriptor, path):
                name = kept_name(path)
                if name is not None:
                    return Slots([*name, os.dup(descriptor)])
                return Busy(key.label, None, way_out=_REMOVED)
        except BlockingIOError:
            return Busy(key.label, Holder.read(os.pread(descriptor, _MOST, 0)))
        finally:
            os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _living(ticket: Path) -> bytes | None:
    """What a ticket says, or None when whoever made it is stopped, or has ended; then it is removed, if it may be."""
    descriptor = opened_ticket(ticket)
    if descriptor is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        untouched = abs(time.time() - os.fstat(descriptor).st_mtime)
        return None if untouched > STOPPED_SECONDS else os.pread(descriptor, _MOST, 0)
    else:
        with suppress(OSError):  # another user's, in a folder where each removes its own
            ticket.unlink()
        return None
    finally:
        os.close(descriptor)
