"""The most memory that a process has had resident, as the kernel counts it (proc(5))."""

from __future__ import annotations

import re
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_KIB = 1024


def peak_mib(process: int | str = "self") -> float:
    """MiB, 0 where the process has ended; not `ru_maxrss`, which begins with that of the process that started it.

    Raises:
        OSError: when there is no such process.
    """
    found = _PEAK.search(Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    return int(found[1]) / _KIB if found else 0.0
