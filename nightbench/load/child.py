"""A load generator in a process of its own: a quiet interpreter, and nothing left when either side dies.

The parent sends a pickled spec, the child answers with progress and at last its result. The child's
standard input is its lifeline: when it closes, the parent is done with it or dead, and the load stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from nightbench.errors import MeasurementError
from nightbench.load.errands import LENGTH, Errand, Errands, Lifeline, Serve, framed
from nightbench.load.messages import Message, Result, message_of, value_of
from nightbench.load.progress import OnProgress, Progress
from nightbench.processes import end, last_words
from nightbench.scrub import learn, scrub
from nightbench.slots.inherited import slot_descriptors

Generator = Callable[[Any, OnProgress, threading.Event], Any]
"""A plain function from a picklable spec to a picklable result; it ends early when the event is set."""

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

ORPHAN_SECONDS = 60.0
"""How long a generator whose parent was killed may take to end; until then it has the slot of its subject."""

_LOOKS = 10
"""In how many looks patience ends: who was stopped itself has looked but once meanwhile, and goes on listening."""


_lifeline: Lifeline | None = None
"""In the child: what it hears its parent on."""


async def start_child(generator: str) -> asyncio.subprocess.Process:
    """Start a process for `run_in_child` ahead of its spec: it imports `generator` (``module:name``) and waits.

    It ends when its standard input is closed.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nightbench.load.child",
        generator,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is the parent's to decide on
        pass_fds=slot_descriptors(),
        limit=2**20,
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
    started: asyncio.subprocess.Process | None = None,
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


async def _asked_to_end(
    process: asyncio.subprocess.Process, talk: asyncio.Task[Any], errands: Errands, grace: float
) -> None:
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
    process: asyncio.subprocess.Process,
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


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _read(stream: asyncio.StreamReader) -> Any:
    try:
        (length,) = LENGTH.unpack(await stream.readexactly(LENGTH.size))
        return pickle.loads(await stream.readexactly(length))  # noqa: S301  # from our own child
    except asyncio.IncompleteReadError:
        raise EOFError from None


def ask_parent(request: Any, on_progress: OnProgress) -> Any:
    """In the child: have the parent do something, and wait for it; see `Lifeline.ask`."""
    assert _lifeline is not None, "this is not a child of `run_in_child`"
    return _lifeline.ask(request, on_progress)


def main(target: str) -> None:
    """The child: read the spec, run the generator, write what it says."""
    global _lifeline  # noqa: PLW0603  # a process has one standard input
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_file_limit()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints, prints elsewhere
    _lifeline = Lifeline(
        sys.stdin.fileno(), lambda message: _write(out, message), partial(_end, stop, os.getppid())
    )
    try:
        generator = _imported(target)  # while the parent is not ready yet
        spec = learn(_lifeline.first())
    except EOFError:  # which never will be
        return
    _lifeline.listen()
    try:
        answer: Message = Result(generator(spec, lambda progress: _write(out, progress), stop))
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent tells it
        answer = message_of(error)
    _write(out, answer)
    gc.freeze()  # the interpreter looks through all of it once more when it ends, and the parent waits for that


def _imported(target: str) -> Generator:
    """The function that `target` names, by its module and name."""
    module, name = target.split(":")
    gc.disable()  # what is imported stays: to look through it again and again takes a fifth of the time
    generator: Generator = getattr(importlib.import_module(module), name)
    gc.freeze()
    gc.enable()
    return generator


def _end(stop: threading.Event, parent: int) -> None:
    """End early; when nobody is there any more who would kill a generator that hangs, end in any case."""
    stop.set()
    threading.Thread(target=_end_as_orphan, args=(parent,), name="orphan", daemon=True).start()


def _end_as_orphan(parent: int) -> None:
    while True:
        time.sleep(ORPHAN_SECONDS)  # first: a parent's files close a moment before it is gone
        if os.getppid() != parent:
            os._exit(1)


def _raise_file_limit() -> None:
    """Each user is an open file: take as many as this account may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write(out: IO[bytes], message: object) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent is dead: finish cleaning up all the same
        out.write(framed(message))
        out.flush()


if __name__ == "__main__":
    # run as the importable module, not as __main__: messages are pickled by their module's name
    importlib.import_module("nightbench.load.child").main(sys.argv[1])
