"""What generated the load: two runs on different machines or versions are told apart by this."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("nightbench", "prefect", "websockets", "sqlalchemy", "psycopg", "pandas", "pyarrow", "uvloop")

_CPUINFO = Path("/proc/cpuinfo")


def fingerprint() -> dict[str, Any]:
    """Describe this machine and the packages that matter, JSON-like.

    The host's name is not in it: ``machine`` is a digest that only tells whether two runs share one.
    """
    return {
        "machine": hashlib.blake2b(platform.node().encode(), digest_size=6).hexdigest(),
        "cpu": _cpu_model(),
        "cores": _usable_cores(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "platform": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _usable_cores() -> int:
    """The cores that this process may use, which a container may have cut."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Model", "Hardware"} and value.strip():
                return value.strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine() or "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
