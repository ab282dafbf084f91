# ruff: noqa: INP001  # a file of the image, in no package
"""How a container begins that runs one flow run: ``one_run.py prefect flow-run execute``.

SIGTERM is for the run, which ends early by it and keeps what it has measured. Prefect's command that looks after the
run would kill it instead, or leave it to be killed with the container; it hears the signal only before there is a run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import psutil

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(command: Sequence[str]) -> int:
    """Run `command` to its end; its exit code, as a shell tells it."""
    running: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        if not running:
            sys.exit(128 + number)
        for pid in _runs_of(running[0].pid) or [running[0].pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    for number in SIGNALS:
        signal.signal(number, pass_on)
    running.append(subprocess.Popen(command))  # noqa: S603  # the command of the container
    code = running[0].wait()
    return 128 - code if code < 0 else code


def _runs_of(pid: int) -> list[int]:
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
