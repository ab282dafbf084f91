"""What runs in the process of a load generator: it reads its spec, runs, and tells; see `nightbench.load.child`."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

from nightbench.load.errands import Lifeline, framed
from nightbench.load.messages import Message, Result, message_of
from nightbench.load.progress import OnProgress
from nightbench.scrub import learn

Generator = Callable[[Any, OnProgress, threading.Event], Any]
"""A plain function from a picklable spec to a picklable result; it ends early when the event is set."""

ORPHAN_SECONDS = 60.0
"""How long a generator whose parent was killed may take to end; until then it has the slot of its subject."""

_lifeline: Lifeline | None = None
"""What this process hears its parent on."""


def ask_parent(request: Any, on_progress: OnProgress) -> Any:
    """Have the parent do something, and wait for it; see `Lifeline.ask`."""
    assert _lifeline is not None, "this is not a child of `run_in_child`"
    return _lifeline.ask(request, on_progress)


def main(target: str) -> None:
    """Read the spec, run the generator that `target` names (``module:name``), write what it says."""
    global _lifeline  # noqa: PLW0603  # a process has one standard input
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _show_name(target)
    raise_file_limit()
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


def import_quickly(module: str) -> Any:
    """Import a module of which nothing will be thrown away."""
    gc.disable()  # what is imported stays: to look through it again and again takes a fifth of the time
    imported = importlib.import_module(module)
    gc.freeze()
    gc.enable()
    return imported


def _imported(target: str) -> Generator:
    module, name = target.split(":")
    generator: Generator = getattr(import_quickly(module), name)
    return generator


def _show_name(target: str) -> None:
    """Tell a list of processes what this one is, where the system lets it: a forked one has its parent's command."""
    module = target.partition(":")[0].rpartition(".")[2]
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"nb.{module}", encoding="ascii")


def _end(stop: threading.Event, parent: int) -> None:
    """End early; when nobody is there any more who would kill a generator that hangs, end in any case."""
    stop.set()
    threading.Thread(target=_end_as_orphan, args=(parent,), name="orphan", daemon=True).start()


def _end_as_orphan(parent: int) -> None:
    while True:
        time.sleep(ORPHAN_SECONDS)  # first: a parent's files close a moment before it is gone
        if os.getppid() != parent:
            os._exit(1)


def raise_file_limit() -> None:
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
    importlib.import_module("nightbench.load.child_side").main(sys.argv[1])
