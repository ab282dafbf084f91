"""The files of a folder of slots, so that all who may write the folder can use each other's, and harm nobody with it.

In a folder that others can write as well, such as one with mode 1777, whoever can may put anything under the name of
such a file: no link is followed, nothing but a plain file of one name is written, and an existing file is never opened
as one to be made, which kernels refuse there (``fs.protected_regular``).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

_AS_IT_IS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would have us wait for whoever writes it
_PAUSES = (0.001, 0.01, 0.1)
"""Seconds between two tries to open a file that another user makes at this moment."""


def made_ticket(path: Path) -> int:
    """Make a file that is ours to write and for all of the folder to read and lock; return its descriptor.

    Raises:
        OSError: when it cannot be made, or is there.
    """
    return _made(path, _mode_in(path.parent) & ~0o022)


def opened_ticket(path: Path) -> int | None:
    """Open another run's ticket to be read and locked; None for what is none of a run, or is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _AS_IT_IS)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def opened_slot(path: Path) -> int:
    """Open the file of a slot, made when it is not there, to be written and locked by all of the folder.

    Raises:
        OSError: when it cannot be, or is no plain file.
    """
    for pause in (*_PAUSES, None):
        try:
            return _checked(path, os.open(path, os.O_RDWR | _AS_IT_IS))
        except FileNotFoundError:
            with suppress(FileExistsError):
                return _made(path, _mode_in(path.parent))
        except PermissionError:  # who makes it gives it its rights next
            if pause is None:
                raise
            time.sleep(pause)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one that others find at `path`: who locks a removed one locks nobody out."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _mode_in(folder: Path) -> int:
    """The rights of a file that everybody who can write `folder` can use."""
    writers = folder.stat().st_mode
    return 0o600 | (0o060 if writers & stat.S_IWGRP else 0) | (0o666 if writers & stat.S_IWOTH else 0)


def _made(path: Path, mode: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _AS_IT_IS, 0o600)
    try:
        folder = path.parent.stat()
        with suppress(OSError):  # one may not belong to the folder's group
            os.fchown(descriptor, folder.st_uid if os.geteuid() == 0 else -1, folder.st_gid)
        os.fchmod(descriptor, mode)  # whatever the umask
    except OSError:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def _checked(path: Path, descriptor: int) -> int:
    """The descriptor of a slot that was there: what it is, and with the rights that the folder may have got since."""
    told = os.fstat(descriptor)
    if not stat.S_ISREG(told.st_mode) or told.st_nlink != 1:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file of one name", str(path))
    mode = _mode_in(path.parent)
    if told.st_uid == os.geteuid() and stat.S_IMODE(told.st_mode) != mode:
        os.fchmod(descriptor, mode)
    return descriptor
