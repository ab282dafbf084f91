"""A file system of a few KiB, for what happens when a disk is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _may_mount() -> bool:
    command = ["unshare", "--mount", "true"]
    try:
        return os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


needs_a_small_disk = pytest.mark.skipif(not _may_mount(), reason="needs the right to mount")


def run_on_a_small_disk(folder: Path, kib: int, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python's `script`, which has `folder` as ``sys.argv[1]`` and the tests' modules to import.

    The mount lives and dies with the mount namespace of the child.
    """
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={kib}k nightbench-test "$1" && exec "$2" -c "$3" "$1"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", str(folder), sys.executable, script],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
