"""Instance folders: what a running server keeps on disk, removed with its owner or after its owner's death.

Each folder holds a lock file that its owner keeps locked (``flock``) for as long as it lives. A free lock
therefore means a dead owner, also after SIGKILL, and the next one to make a folder sweeps it away.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nightbench.errors import ConfigurationError

LOCK = "owner.lock"

Stop = Callable[[Path], None]
"""Ends whatever still runs on an instance folder; called before the folder is removed."""


def _nothing_runs(_folder: Path) -> None:
    return


@contextmanager
def instance_folder(cache: Path, kind: str, *, stop: Stop = _nothing_runs) -> Iterator[Path]:
    """Make ``cache/instances/<kind>-<pid>-<hex>/`` for the length of the block.

    Folders of the same kind whose owner died are swept first; `stop` is called for each of them, and for
    the new one at the end of the block, so that nothing outlives its folder.

    Raises:
        ConfigurationError: when the cache cannot be written.
    """
    with cache_errors(cache):
        folder, lock = _make(cache, kind, stop)
    try:
        yield folder
    finally:
        try:
            stop(folder)
        finally:
            remove_tree(folder)
            os.close(lock)


def living(cache: Path, kind: str) -> list[Path]:
    """The instance folders of `kind` whose owner is alive."""
    return [folder for folder in _folders(cache, kind) if _owner_lives(folder)]


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold an ``flock`` on the file at `path`, made when missing; waits for whoever holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def cache_errors(cache: Path) -> Iterator[None]:
    """Turn an OSError inside the block into one line that names the cache setting."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            "cache",
            str(cache),
            f"cannot be used: {error.strerror or error}",
            "set NIGHTBENCH_CACHE to a folder that you can write",
        ) from None


def remove_tree(folder: Path) -> None:
    """Remove `folder` with all in it; another process may be removing it at the same time."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder)


def _make(cache: Path, kind: str, stop: Stop) -> tuple[Path, int]:
    home = cache / "instances"
    home.mkdir(parents=True, exist_ok=True)
    # One at a time: a folder must never be seen between its making and its locking.
    with locked(home / ".lock"):
        for folder in _folders(cache, kind):
            if not _owner_lives(folder):
                stop(folder)
                remove_tree(folder)
        folder = home / f"{kind}-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return folder, descriptor


def _folders(cache: Path, kind: str) -> list[Path]:
    return sorted(
        folder
        for folder in (cache / "instances").glob(f"{kind}-*-*")
        if folder.name.rsplit("-", 2)[0] == kind and folder.is_dir()
    )


def _owner_lives(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # another user's: neither ours to judge nor to remove
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
