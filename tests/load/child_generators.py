"""Generators for the tests of the child process: they must be importable by name there."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.load.child import run_in_child
from nightbench.load.progress import Progress

PROGRESS = Progress("websocket", "measure", 1.0, 2.0, 3, 4.0, None, 0)


def echo(spec, on_progress, _stop):
    print("noise on stdout must not disturb the messages")  # noqa: T201
    on_progress(PROGRESS)
    return {"spec": spec, "pid": os.getpid(), "parent": os.getppid()}


def until_stopped(spec, _on_progress, stop):
    with open(spec, "w") as file:  # noqa: PTH123
        file.write(str(os.getpid()))
    stop.wait(60)
    return "stopped early"


def deaf(_spec, on_progress, _stop):
    for _ in range(600):
        on_progress(PROGRESS)
        time.sleep(0.1)


def stopped(spec, on_progress, _stop):
    """Writes its process id to a file; stops, as by SIGSTOP of somebody else, when it has said something."""
    Path(spec).write_text(str(os.getpid()))
    on_progress(PROGRESS)
    os.kill(os.getpid(), signal.SIGSTOP)


def hanging(spec, on_progress, _stop):
    Path(spec).write_text(str(os.getpid()))
    on_progress(PROGRESS)
    while True:
        pass


def steady(spec, on_progress, _stop):
    """Says something every 50 ms, so many times."""
    for _ in range(spec):
        on_progress(PROGRESS)
        time.sleep(0.05)
    return "done"


def wrong_setting(_spec, _on_progress, _stop):
    raise ConfigurationError("--dsn", "x", "no such database", "name another")


def broken(spec, _on_progress, _stop):
    raise ZeroDivisionError(f"postgresql://u:hunter2@h/d: wrong key {spec['token']} given")


def killed(_spec, _on_progress, _stop):
    os.write(2, b"last words\n")
    os._exit(7)


def known(spec, _on_progress, _stop):
    """Which of these modules had been imported before it began."""
    return [module for module in spec if module in sys.modules]


def with_a_child(spec, _on_progress, _stop):
    """What one of its own, started from inside, tells."""
    return asyncio.run(run_in_child(echo, spec, on_progress=lambda _: None, stop=asyncio.Event(), grace=5.0))
