"""The trend report of a year of nights: seconds, CPU-seconds and bytes of `nightbench report`.

The dataset has the files and metrics that nightbench writes of the default plan, with four blocks a night and with
one. The command runs in a fresh process, as a user begins it; the files are in the page cache. What is judged are the
reports after the first one, which finds nothing in nightbench's cache: the script that draws, and what was read before.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.processes import ROOT, ContenderError
from benchmarks.table import Figure, Goal, over_rounds
from benchmarks.year import write_year
from nightbench.tiers import BLOCKS

ROUNDS = 5


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Make the report of a year with one block a night, then with as many as there are by default."""
    return [figure for blocks in (1, BLOCKS) for figure in _measured(blocks, say)]


def _measured(blocks: int, say: Callable[[str], None]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        say(f"writing a year of {blocks} blocks a night")
        results, page = Path(folder) / "results", Path(folder) / "report.html"
        year = write_year(results, blocks=blocks)
        say(f"making the report of {year.runs:,} runs")
        first, _ = _made(results, page)
        rounds = [_made(results, page) for _ in range(ROUNDS)]
        seconds, cpu = zip(*rounds, strict=True)
        size = page.stat().st_size / 1e6
    name = f"a year, {blocks} block{'' if blocks == 1 else 's'} a night, {year.runs:,} runs"
    yield Figure(f"{name}: the first one", first, "s")
    yield over_rounds(f"{name}: made in", seconds, "s", Goal("<=", 5.0))
    yield over_rounds(f"{name}: CPU of all its processes", cpu, "CPU s")
    yield Figure(f"{name}: size", size, "MB", Goal("<=", 2.0))


def _made(results: Path, page: Path) -> tuple[float, float]:
    """Seconds and CPU-seconds of one report."""
    began, worked = time.perf_counter(), _cpu_of_children()
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-m", "nightbench", "report", "--results", str(results), "--output", str(page)],
        cwd=ROOT,
        env={
            **os.environ,
            "NIGHTBENCH_ENVIRONMENT": "local",
            "NIGHTBENCH_CACHE": str(page.with_name("cache")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ContenderError(done.stderr.strip())
    return time.perf_counter() - began, _cpu_of_children() - worked


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
