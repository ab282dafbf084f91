"""Files that are there whole or not at all, and folders that can really be written to."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nightbench.errors import ConfigurationError

TEMPORARY = ".*.tmp"
"""The pattern of the names of `write_whole` until a file is whole."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Create `path` with what `write` puts into it, or leave nothing behind.

    The bytes go to a file beside it whose name starts with a dot, which readers of a dataset skip; they are
    on the disk before the name is. Two writers never share a temporary file.

    Raises:
        OSError: when the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return path


def read_file(name: str, setting: str, *, most: int, way_out: str = "", too_large: str = "") -> bytes:
    """The bytes of a file that a user names; what never ends, or is no file, is refused before it is opened.

    Args:
        name: Of the file; may begin with ``~``.
        setting: What names it.
        most: Bytes that it may have.
        way_out: What to do when it cannot be used.
        too_large: What to do when it has more than `most`; `way_out` unless given.

    Raises:
        ConfigurationError: naming `setting`, the file and the limit that it exceeds.
    """
    content = bytearray()
    try:
        descriptor = _open_regular(Path(name).expanduser())
        try:
            while len(content) <= most and (some := os.read(descriptor, min(2**20, most + 1))):
                content += some
        finally:
            os.close(descriptor)
    # RuntimeError: no such home folder; ValueError: a NUL
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError(setting, name, f"cannot be read: {reason(error)}", way_out) from None
    if len(content) > most:
        problem = f"is larger than {most // 2**20} MiB"
        raise ConfigurationError(setting, name, problem, too_large or way_out)
    return bytes(content)


def _open_regular(path: Path) -> int:
    """A descriptor of a regular file. A device may act when it is opened, and a FIFO waits."""
    _check_regular(path.stat().st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_regular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


_NO_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def _check_regular(mode: int) -> None:
    kind = stat.S_IFMT(mode)
    if kind != stat.S_IFREG:
        msg = f"it is {_NO_FILES.get(kind, 'something else')} and not a file"
        raise OSError(msg)


def check_writable(setting: str, folder: Path) -> None:
    """Create `folder` and write a file into it, then remove the file again.

    Permissions are no answer: root passes them on a read-only mount.

    Raises:
        ConfigurationError: naming `setting` and `folder`.
    """
    probe = folder / f".writable-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with probe.open("xb") as file:
                file.write(b"nightbench\n")
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            setting,
            str(folder),
            f"cannot be written to: {reason(error)}",
            "choose a folder that can be written",
        ) from None


def reason(error: BaseException) -> str:
    """The operating system's words for an error, without the path that is named beside them."""
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error) or type(error).__name__).splitlines()[0].lower()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems cannot sync a folder; the file itself is safe
    finally:
        os.close(descriptor)
