"""Memory of the process that loads a database: 1,000,000 queries over 50,000, 50 workers each, the default workload.

``python -m benchmarks.database_memory 100000`` tries it with fewer than the million, which take ten minutes.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
from rich.console import Console

from benchmarks.command_line import generator_of
from benchmarks.database import Database, database
from benchmarks.peak import peak_mib
from benchmarks.processes import ROOT, ContenderError, run
from benchmarks.table import Figure, Goal, print_figures

WORKERS = 50
FEW = 50_000
MANY = 1_000_000
ALLOWED_MIB = 20.0

_FEWEST_PER_SECOND = 200
_START_AND_END_SECONDS = 120.0


def measure(say: Callable[[str], None], many: int = MANY) -> list[Figure]:
    """One run of each length, one after the other, in a closed loop; `many` is the longer one."""
    with database() as subject:
        peaks = {}
        for queries in (FEW, many):
            say(f"{queries:,} queries")
            peaks[queries] = _peak_mib(subject, queries)
    return [
        *(Figure(f"peak of {queries:,} queries", mib, "MiB") for queries, mib in peaks.items()),
        Figure("the more of the longer run", peaks[many] - peaks[FEW], "MiB", Goal("<=", ALLOWED_MIB)),
    ]


def _peak_mib(subject: Database, queries: int) -> float:
    """The most memory that the process of the load has had resident, as the kernel counts it (proc(5))."""
    peak = _Peak()
    with tempfile.TemporaryDirectory() as folder:
        cost = run(
            [
                *(sys.executable, "-m", "nightbench", "database"),
                *("--model", "closed", "--think", "0", "--warmup", "0"),
                *("--queries", str(queries), "--workers", str(WORKERS)),
                *("--results", str(Path(folder) / "results"), "--json", str(Path(folder) / "result.json")),
            ],
            environment={
                "PYTHONPATH": str(ROOT),
                "NIGHTBENCH_CACHE": str(Path(folder) / "cache"),
                "NIGHTBENCH_DATABASE_DSN": subject.dsn,
            },
            folder=Path(folder),
            within=queries / _FEWEST_PER_SECOND + _START_AND_END_SECONDS,
            on_sample=peak,
        )
        if not peak.mib or not (Path(folder) / "result.json").exists():
            msg = f"nightbench ended with exit code {cost.exit_code} and no result: {cost.errors[-2000:]}"
            raise ContenderError(msg)
    return peak.mib


class _Peak:
    """Reads the peak of a command's process of the load as long as there is one."""

    def __init__(self) -> None:
        self.mib = 0.0
        self._load: psutil.Process | None = None

    def __call__(self, command: psutil.Process) -> None:
        self._load = self._load or generator_of(command)
        if self._load is not None:
            with contextlib.suppress(OSError):
                self.mib = max(self.mib, peak_mib(self._load.pid))


if __name__ == "__main__":
    console = Console()
    print_figures(console, __doc__.splitlines()[0], measure(console.print, int(sys.argv[1])))
