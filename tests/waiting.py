"""Waiting for what will come, however busy the machine is."""

import threading
import time

PATIENCE = 60.0
"""Seconds. Nothing takes as long; it only ends what would hang."""


def until(condition):
    """What `condition` gives, as soon as it gives something."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        pause.wait(0.02)
    return found
