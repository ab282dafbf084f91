"""A load generator in a process of its own: a quiet interpreter, and nothing left when either side dies.

The parent sends a pickled spec, the child answers with progress and at last its result. The child's
standard input is its lifeline: when it closes, the parent is done with it or dead, and the load stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import pickle
import resource
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.load.progress import OnProgress, Progress
from nightbench.processes import end, last_words, watch_lifeline
from nightbench.scrub import scrub

Generator = Callable[[Any, OnProgress, threading.Event], Any]
"""A plain function from a picklable spec to a picklable result; it ends early when the event is set."""

_SILENT = (
    "the load generator has said nothing for {:.0f} s and was ended: something has stopped it, or it hangs, "
    "as in a predicate that never returns; see to that, or use fewer users or a quieter machine, and run again"
)
_LENGTH = struct.Struct("!I")
_GRACE_WHEN_CANCELLED = 3.0
"""Seconds: whoever interrupts twice wants to leave; rows that stay are found by the next run."""

_GRACE_AFTER_LAST_WORD = 3.0
"""Seconds that a process may take to end after it has closed its output."""

PATIENCE_SECONDS = 60.0
"""How long a generator may say nothing. It reports once a second; what it does beside that takes less."""

_LOOKS = 10
"""In how many looks patience ends: who was stopped itself has looked but once meanwhile, and goes on listening."""


@dataclass(frozen=True)
class _Result:
    value: Any


@dataclass(frozen=True)
class _Refused:
    setting: str
    value: str
    problem: str
    way_out: str


@dataclass(frozen=True)
class _Ended:
    why: str


@dataclass(frozen=True)
class _Failed:
    summary: str
    traceback: str


async def run_in_child(
    generator: Generator,
    spec: Any,
    *,
    on_progress: OnProgress,
    stop: asyncio.Event,
    grace: float,
    patience: float = PATIENCE_SECONDS,
) -> Any:
    """Run ``generator(spec)`` in a process of its own and return its result.

    Args:
        generator: A function that can be imported by its module and name.
        spec: Its picklable argument.
        on_progress: Called in this process with what the generator reports.
        stop: When set, the generator is told to end early; its result is what it has by then.
        grace: Seconds that it may take to end after that before it is killed.
        patience: Seconds that it may say nothing, from its start on, before it is killed.

    Raises:
        ConfigurationError: as raised by the generator.
        MeasurementError: when the generator failed, gave no result or said nothing for too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nightbench.load.child",
        f"{generator.__module__}:{generator.__qualname__}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is the parent's to decide on
        limit=2**20,
    )
    assert process.stdin is not None
    errors = asyncio.create_task(last_words(process.stderr))
    heard = asyncio.Event()
    talk = asyncio.create_task(_talk(process, on_progress, errors, heard))
    stopping = asyncio.create_task(stop.wait())
    silence = asyncio.create_task(_silence(heard, patience))
    wait_for_end = grace
    try:
        payload = await asyncio.to_thread(pickle.dumps, spec)  # which may hold a large file of data
        process.stdin.write(_LENGTH.pack(len(payload)) + payload)
        await asyncio.wait([talk, stopping, silence], return_when=asyncio.FIRST_COMPLETED)
        if silence.done() and not talk.done():
            _kill(process)
            raise MeasurementError(_SILENT.format(patience))
        if not talk.done():
            process.stdin.close()
            await asyncio.wait([talk], timeout=grace)
            if not talk.done():
                _kill(process)  # the talk ends with it, and says so
        return await talk
    except asyncio.CancelledError:
        wait_for_end = min(grace, _GRACE_WHEN_CANCELLED)
        raise
    finally:
        for task in (talk, stopping, silence):
            task.cancel()
        await asyncio.wait([talk])
        # a process whose output nobody reads has not ended
        rest = asyncio.create_task(_discard(process.stdout))
        await end(process, grace=wait_for_end)
        await rest
        await errors


async def _silence(heard: asyncio.Event, patience: float) -> None:
    """Wait until nothing has been heard for so many seconds."""
    silent = 0
    while silent < _LOOKS:
        heard.clear()
        await asyncio.sleep(patience / _LOOKS)
        silent = 0 if heard.is_set() else silent + 1


async def _talk(
    process: asyncio.subprocess.Process,
    on_progress: OnProgress,
    errors: asyncio.Task[str],
    heard: asyncio.Event,
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
            case _Result(value):
                return value
            case _Refused(setting, value, problem, way_out):
                raise ConfigurationError(setting, value, problem, way_out)
            case _Ended(why):
                raise MeasurementError(why)
            case _Failed(summary, details):
                error = MeasurementError(f"the load generator failed: {summary}")
                error.add_note(details)
                raise error


async def _discard(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(2**16):
        pass


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _read(stream: asyncio.StreamReader) -> Any:
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return pickle.loads(await stream.readexactly(length))  # noqa: S301  # from our own child
    except asyncio.IncompleteReadError:
        raise EOFError from None


def main(target: str) -> None:
    """The child: read the spec, run the generator, write what it says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_file_limit()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints, prints elsewhere
    stdin = sys.stdin.buffer
    (length,) = _LENGTH.unpack(stdin.read(_LENGTH.size))
    spec = pickle.loads(stdin.read(length))  # noqa: S301  # from our own parent
    watch_lifeline(stop.set)
    module, name = target.split(":")
    generator: Generator = getattr(importlib.import_module(module), name)
    try:
        answer: object = _Result(generator(spec, lambda progress: _write_frame(out, progress), stop))
    except ConfigurationError as error:
        answer = _Refused(error.setting, str(error.value), error.problem, error.way_out)
    except MeasurementError as error:  # as of a generator of its own
        answer = _Ended(str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent tells it
        answer = _Failed(scrub(f"{type(error).__name__}: {error}"), scrub(traceback.format_exc()))
    _write_frame(out, answer)


def _raise_file_limit() -> None:
    """Each user is an open file: take as many as this account may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write_frame(out: IO[bytes], message: object) -> None:
    payload = pickle.dumps(message)
    with contextlib.suppress(BrokenPipeError):  # the parent is dead: finish cleaning up all the same
        out.write(_LENGTH.pack(len(payload)) + payload)
        out.flush()


if __name__ == "__main__":
    # run as the importable module, not as __main__: messages are pickled by their module's name
    importlib.import_module("nightbench.load.child").main(sys.argv[1])
