"""A load generator in a process of its own: a quiet interpreter, and nothing left when either side dies.

The parent sends a pickled spec, the child answers with progress and at last its result. The child's
standard input is its lifeline: when it closes, the parent is done with it or dead, and the load stops. What runs in
the child is in `child_side`.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import sys
from typing import Any

from nightbench.errors import MeasurementError
from nightbench.load.child_side import Generator
from nightbench.load.errands import LENGTH, Errand, Errands, Serve, framed
from nightbench.load.fork_server import OUTPUT_LIMIT, forked
from nightbench.load.messages import value_of
from nightbench.load.progress import OnProgress, Progress
from nightbench.processes import Process, end, last_words
from nightbench.scrub import learn, scrub
from nightbench.slots.inherited import slot_descriptors

_SILENT = (
    "the load generator has said nothing for {:.0f} s and was ended: something has stopped it, or it hangs, "
    "as in a predicate that never returns; see to that, or use fewer users or a quieter machine, and run again"
)
_GRACE_WHEN_CANCELLED = 3.0
"""Seconds: whoever interrupts twice wants to leave; rows that stay are found by the next run."""

_GRACE_AFTER_LAST_WORD = 3.0
"""Seconds that a process may take to end after it has closed its output."""

PATIENCE_SECONDS = 60.0
"""How long a generator may say nothing. It reports once a second; what it does beside that takes less."""

_LOOKS = 10
"""In how many looks patience ends: who was stopped itself has looked but once meanwhile, and goes on listening."""


async def start_child(generator: str) -> Process:
    """Start a process for `run_in_child` ahead of its spec: it imports `generator` (``module:name``) and waits.

    It is forked where a process stands ready for that, see `fork_server`. It ends when its standard input is closed.
    """
    return await forked(generator) or await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nightbench.load.child_side",
        generator,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is the parent's to decide on
        pass_fds=slot_descriptors(),
        limit=OUTPUT_LIMIT,
    )


async def run_in_child(
    generator: Generator,
    spec: Any,
    *,
    on_progress: OnProgress,
    stop: asyncio.Event,
    grace: float,
    patience: float = PATIENCE_SECONDS,
    serve: Serve | None = None,
    started: Process | None = None,
) -> Any:
    """Run ``generator(spec)`` in a process of its own and return its result.

    Args:
        generator: A function that can be imported by its module and name.
        spec: Its picklable argument.
        on_progress: Called in this process with what the generator reports.
        stop: When set, the generator is told to end early; its result is what it has by then.
        grace: Seconds that it may take to end after that before it is killed.
        patience: Seconds that it may say nothing, from its start on, before it is killed.
        serve: Does what the generator asks for by `ask_parent`; has to end soon when `stop` is set.
        started: A process that `start_child` has started for `generator`; None for one that is started now.

    Raises:
        ConfigurationError: as raised by the generator.
        MeasurementError: when the generator failed, gave no result or said nothing for too long.
    """
    process = started or await start_child(f"{generator.__module__}:{generator.__qualname__}")
    assert process.stdin is not None
    errors = asyncio.create_task(last_words(process.stderr))
    heard = asyncio.Event()
    errands = Errands(serve, process.stdin)
    talk = asyncio.create_task(_talk(process, on_progress, errors, heard, errands))
    stopping = asyncio.create_task(stop.wait())
    silence = asyncio.create_task(_silence(heard, patience, errands))
    wait_for_end = grace
    try:
        process.stdin.write(
            await asyncio.to_thread(framed, learn(spec))
        )  # which may hold a large file of data
        await asyncio.wait([talk, stopping, silence], return_when=asyncio.FIRST_COMPLETED)
        if silence.done() and not talk.done():
            _kill(process)
            raise MeasurementError(_SILENT.format(patience))
        if not talk.done():
            await _asked_to_end(process, talk, errands, grace)
            if not talk.done():
                _kill(process)  # the talk ends with it, and says so
        return await talk
    except asyncio.CancelledError:
        wait_for_end = min(grace, _GRACE_WHEN_CANCELLED)
        raise
    finally:
        await errands.close()
        for task in (talk, stopping, silence):
            task.cancel()
        await asyncio.wait([talk])
        # a process whose output nobody reads has not ended
        rest = asyncio.create_task(_discard(process.stdout))
        await end(process, grace=wait_for_end)
        await rest
        await errors


async def _asked_to_end(process: Process, talk: asyncio.Task[Any], errands: Errands, grace: float) -> None:
    """Ask it to end, once it has the answer that it may wait for, and wait until it has or may take no longer."""
    assert process.stdin is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            await errands.done()
            process.stdin.close()
            await asyncio.wait([talk])


async def _silence(heard: asyncio.Event, patience: float, errands: Errands) -> None:
    """Wait until nothing has been heard for so many seconds in which it did not wait for an answer."""
    silent = 0
    while silent < _LOOKS:
        heard.clear()
        await asyncio.sleep(patience / _LOOKS)
        silent = 0 if heard.is_set() or errands.busy else silent + 1


async def _talk(
    process: Process,
    on_progress: OnProgress,
    errors: asyncio.Task[str],
    heard: asyncio.Event,
    errands: Errands,
) -> Any:
    """Take the child's messages until its result."""
    assert process.stdout is not None
    while True:
        try:
            message = await _read(process.stdout)
        except EOFError:
            # a signal sent while it ends would take its exit code from the one who waits for it
            await end(process, grace=_GRACE_AFTER_LAST_WORD)
            tail = scrub(await errors)
            msg = f"the load generator ended without a result (exit code {process.returncode}): {tail or 'no output'}"
            raise MeasurementError(msg) from None
        heard.set()
        match message:
            case Progress():
                on_progress(message)
            case Errand():
                errands.take(message)
            case _:
                return value_of(message)


async def _discard(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(2**16):
        pass


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _read(stream: asyncio.StreamReader) -> Any:
    try:
        (length,) = LENGTH.unpack(await stream.readexactly(LENGTH.size))
        return pickle.loads(await stream.readexactly(length))  # noqa: S301  # from our own child
    except asyncio.IncompleteReadError:
        raise EOFError from None
