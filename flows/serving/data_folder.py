"""The folder that ``nightbench serve`` keeps, and its lock: one at a time for each server."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.files import check_writable
from nightbench.scrub import scrub

_OWN = "own"


def name_of(api_url: str | None) -> str:
    """What the files about a server are called by: it may be one of ours, or one at an address."""
    return _OWN if api_url is None else hashlib.sha256(api_url.encode()).hexdigest()[:12]


@contextmanager
def alone(data: Path, api_url: str | None) -> Iterator[Callable[[str], None]]:
    """Hold the lock of a server for the length of the block; the kernel frees it when the holder dies.

    Yields:
        What tells the next one where this one can be looked at.

    Raises:
        ConfigurationError: when another one holds it, or the folder cannot be written.
    """
    check_writable("--data", data)
    data.chmod(0o700)
    descriptor = os.open(data / f"{name_of(api_url)}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = scrub(os.pread(descriptor, 1000, 0).decode(errors="replace").strip())
            problem = f"runs already, {said}" if said else "runs already"
            way_out = "stop it first, or give this one a --data folder and a --port of its own"
            raise ConfigurationError("nightbench serve", NOT_GIVEN, problem, way_out) from None

        def announce(text: str) -> None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text.encode(), 0)

        announce(f"process {os.getpid()}, which is still starting")
        yield announce
    finally:
        os.close(descriptor)
