"""Child processes that never outlive their parent, and whose last words are heard.

A child's standard input is its lifeline: the parent holds the other end, so that it closes when the parent
wants the child to end, and also when the parent was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable

_TAIL_BYTES = 4000


def watch_lifeline(on_end: Callable[[], None]) -> None:
    """In the child: call `on_end`, in a thread of its own, when standard input ends."""

    def watch() -> None:
        # not sys.stdin.read(): a thread that holds that lock at exit aborts the interpreter
        while os.read(sys.stdin.fileno(), 4096):
            pass
        on_end()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


async def last_words(stream: asyncio.StreamReader | None) -> str:
    """In the parent: read a child's output to its end, so that it never waits for us; the last of it."""
    assert stream is not None
    tail = b""
    while data := await stream.read(65_536):
        tail = (tail + data)[-_TAIL_BYTES:]
    return tail.decode(errors="replace").strip()


async def end(process: asyncio.subprocess.Process, *, grace: float) -> None:
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
