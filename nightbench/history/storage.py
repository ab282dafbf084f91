"""Where the dataset lies: a folder or an object store, as one small set of operations on relative paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from nightbench.files import TEMPORARY, check_writable, write_whole

Failed = Callable[[str, OSError], None]
"""Told of a folder that could not be listed."""

_MAGIC = b"PAR1"
"""What a Parquet file ends with."""


class OutOfReachError(OSError):
    """Nobody answered: no connection, or none in time."""


class Entry(NamedTuple):
    """One name in a folder."""

    path: str
    is_folder: bool


class Storage(Protocol):
    """A tree of files that are there whole or not at all. Paths are relative, with slashes.

    Every operation raises OSError when it cannot be done, with words that hold no secret; `OutOfReachError`
    when nobody answers.
    """

    @property
    def name(self) -> str:
        """The folder or URL, as it may be shown."""
        ...

    @property
    def way_out(self) -> str:
        """What to do when it cannot be read."""
        ...

    def location(self, path: str) -> Path | str:
        """Where a file lies: a path of this machine, or a URL."""
        ...

    def entries(self, folder: str) -> list[Entry]:
        """What lies in `folder`, sorted; nothing when there is no such folder, though there is room for one."""
        ...

    def below(self, folder: str, failed: Failed) -> list[Entry]:
        """Every file below `folder`, sorted, and every folder that is named as a file is."""
        ...

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """The content of each file, or why there is none, in the order of `paths`."""
        ...

    def looks_whole(self, path: str) -> bool:
        """Whether a Parquet file has its end, as far as a cheap look can tell."""
        ...

    def stamp(self, path: str) -> str:
        """What changes when a file is replaced, as far as a cheap look can tell; empty where it cannot."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is such a name, whatever can be read there."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Create a file with all of `content`, or leave nothing behind."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; it is no error when it is gone already."""
        ...

    def half_written(self, folder: str) -> list[str]:
        """What a crash left below `folder` of writing files, or another process is just writing."""
        ...

    def written_at(self, path: str) -> datetime | None:
        """When a file was written; None when it is gone."""
        ...

    def check_writable(self, folders: Iterable[str]) -> None:
        """Try to write in the root and in those `folders` that are there.

        Raises:
            ConfigurationError: naming the setting ``results`` and the place.
        """
        ...


def is_hidden(name: str) -> bool:
    """Whether readers of a dataset skip the name: temporary files, and what other tools leave."""
    return name.startswith((".", "_"))


class Folder:
    """A folder of this machine; files are on the disk before their names are."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.root)

    @property
    def way_out(self) -> str:
        """See `Storage`."""
        return "name a folder that can be read"

    def location(self, path: str) -> Path:
        """The path of a file."""
        return self.root / path

    def entries(self, folder: str) -> list[Entry]:
        """See `Storage`."""
        try:
            with os.scandir(self.root / folder) as found:
                entries = [Entry(f"{folder}/{each.name}", each.is_dir()) for each in found]
        except FileNotFoundError:
            return []
        return sorted(entries, key=lambda entry: entry.path)

    def below(self, folder: str, failed: Failed) -> list[Entry]:
        """See `Storage`."""
        found: list[Entry] = []
        try:
            entries = self.entries(folder)
        except OSError as error:
            failed(folder, error)
            return found
        for entry in entries:
            if is_hidden(entry.path.rpartition("/")[2]):
                continue
            if entry.is_folder and not entry.path.endswith(".parquet"):
                found += self.below(entry.path, failed)
            else:
                found.append(entry)
        return found

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See `Storage`."""
        for path in paths:
            try:
                content: bytes | OSError = _content(f"{self.root}/{path}")
            except OSError as error:
                content = error
            yield path, content

    def looks_whole(self, path: str) -> bool:
        """See `Storage`."""
        try:
            return _content(f"{self.root}/{path}", last=len(_MAGIC)) == _MAGIC
        except OSError:
            return False

    def stamp(self, path: str) -> str:
        """See `Storage`."""
        try:
            found = os.stat(f"{self.root}/{path}")  # noqa: PTH116  # of thousands of files, as `_content`
        except OSError:
            return ""
        return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"

    def exists(self, path: str) -> bool:
        """See `Storage`."""
        return os.path.lexists(self.root / path)

    def write(self, path: str, content: bytes) -> None:
        """See `Storage`."""
        write_whole(self.root / path, lambda file: file.write(content))

    def remove(self, path: str) -> None:
        """See `Storage`."""
        with suppress(FileNotFoundError):
            (self.root / path).unlink()

    def half_written(self, folder: str) -> list[str]:
        """See `Storage`."""
        found = (self.root / folder).rglob(TEMPORARY)
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def written_at(self, path: str) -> datetime | None:
        """See `Storage`."""
        try:
            return datetime.fromtimestamp(os.lstat(self.root / path).st_mtime, UTC)
        except FileNotFoundError:
            return None

    def check_writable(self, folders: Iterable[str]) -> None:
        """See `Storage`."""
        check_writable("results", self.root)
        for folder in folders:
            if (self.root / folder).exists():
                check_writable("results", self.root / folder)


def _content(path: str, last: int | None = None) -> bytes:
    """The bytes of a file, or the last few: of thousands of small files, so that file objects would cost most."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(
            descriptor, size if last is None else last, 0 if last is None else max(0, size - last)
        )
    finally:
        os.close(descriptor)
