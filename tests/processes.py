"""Which processes of a run there are, and whether they have ended, also where nobody collects orphans."""

import time

import psutil
from waiting import PATIENCE


def survivors(processes, within=PATIENCE):
    """Those of `processes` that still run after so many seconds.

    One that has ended and waits for its parent to look, a zombie, runs no more. Orphans stay zombies where PID 1
    does not look, as in many containers.
    """
    deadline = time.monotonic() + within
    while running := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline:
            return running
        time.sleep(0.01)
    return []


def _runs(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def load_generators():
    """The load generators that this process has started and that have not ended."""
    return [child for child in psutil.Process().children(recursive=True) if generates_load(child)]


def generates_load(process):
    """Whether it is a load generator, or the steward of one: they give themselves a name."""
    try:
        return process.name().startswith("nb.")
    except psutil.Error:  # it has ended, and has no command line: a zombie, perhaps of another test
        return False
