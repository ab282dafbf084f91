"""The memory of this process, as Linux counts it (proc(5))."""

import re
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def peak_memory():
    """The most bytes that it has had resident since it began, or since the peak was forgotten.

    Not `ru_maxrss`, which a new process inherits from the one that made it.
    """
    return int(re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)[1]) * 1024


def forget_peak():
    """What it has resident now is the peak."""
    _CLEAR.write_text("5")
