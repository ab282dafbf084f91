"""Child processes that never outlive their parent, and whose last words are heard.

A child's standard input is its lifeline: the parent holds the other end, so that it closes when the parent
wants the child to end, and also when the parent was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Protocol

_TAIL_BYTES = 4000


class Input(Protocol):
    """The end of a child's standard input that its parent holds."""

    def write(self, data: bytes, /) -> None: ...
    def is_closing(self) -> bool: ...
    def close(self) -> None: ...


class Process(Protocol):
    """A child process, however it was started; as `asyncio.subprocess.Process` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def stdin(self) -> Input | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def stderr(self) -> asyncio.StreamReader | None: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def kill(self) -> None: ...


def watch_lifeline(on_end: Callable[[], None]) -> None:
    """In the child: call `on_end`, in a thread of its own, when standard input ends."""

    def watch() -> None:
        # not sys.stdin.read(): a thread that holds that lock at exit aborts the interpreter
        while os.read(sys.stdin.fileno(), 4096):
            pass
        on_end()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def drop_broken_output() -> None:
    """Point output and errors at nothing where nobody reads them any more: writing to them would be an error."""
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    for descriptor, event in poll.poll(0):
        if event & select.POLLERR:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


async def orphaned(look_seconds: float = 1.0) -> None:
    """Return when the parent of this process is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(look_seconds)


async def last_words(stream: asyncio.StreamReader | None) -> str:
    """In the parent: read a child's output to its end, so that it never waits for us; the last of it."""
    assert stream is not None
    tail = b""
    while data := await stream.read(65_536):
        tail = (tail + data)[-_TAIL_BYTES:]
    return tail.decode(errors="replace").strip()


async def end(process: Process, *, grace: float) -> None:
    """In the parent: close the lifeline and wait; what does not end within `grace` seconds is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
