"""Whether processes have ended, also where nobody collects orphans."""

import time

import psutil


def survivors(processes, within=20.0):
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
