"""A year of nights, read whole and for a judgement: CPU-seconds and the peak of the memory of the process.

The dataset has the rows and files that nightbench writes, with values drawn at random. It is read in a fresh
process, as a night does; the files are in the page cache. One thread reads, so that on an idle core the time
that passes is the CPU's. A judgement reads no more than can matter, and judges it: on a machine as before, and
on one that is new, where no earlier night can be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.processes import ROOT, ContenderError
from benchmarks.table import Figure, Goal, over_rounds
from nightbench.history.places import path_of
from nightbench.history.rows import file_of, rows_of_run
from nightbench.history.schema import OF_A_RUN
from nightbench.measurement import Measurement, Metric, Validity, Window
from nightbench.plan import Suite, Tier
from nightbench.tiers import BLOCKS, TIERS

NIGHTS = 365
ROUNDS = 5
METRICS = 40
"""The metrics of a run that the promise is about."""
MOST_METRICS = 194
"""Those of the database with the default plan, the most that one suite has."""

CORES = 2
"""Of the machine that all was measured on."""

_FIRST = datetime(2025, 11, 24, 3, 15, tzinfo=UTC)
_TIERS: tuple[Tier, ...] = ("baseline", "full", "stress")
_SUITES: tuple[Suite, ...] = ("websocket", "database")
_READ = """
import json, sys, time
from benchmarks.peak import peak_mib
from nightbench.history.store import HistoryStore

store = HistoryStore(sys.argv[1])
imported = peak_mib()
began, worked = time.perf_counter(), time.process_time()
rows = sum(len(store.nights("local", tier=tier)) for tier in sys.argv[2:])
seconds = time.process_time() - worked
passed = time.perf_counter() - began
peak = peak_mib()
print(json.dumps([seconds, passed, peak, imported, rows, len(store.unreadable)]))
"""
_JUDGE = """
import json, sys, time
from benchmarks.history import tonight
from benchmarks.peak import peak_mib
from nightbench.history.store import HistoryStore
from nightbench.tier_verdict import earlier_nights, judge_tier
from nightbench.verdict.policy import Policy

folder, blocks, metrics, cores = sys.argv[1], *map(int, sys.argv[2:])
store, runs = HistoryStore(folder), tonight(blocks, metrics, cores)
imported = peak_mib()
began, worked = time.perf_counter(), time.process_time()
verdict = judge_tier(earlier_nights(store, runs, Policy()), runs, Policy())
seconds = time.process_time() - worked
passed = time.perf_counter() - began
peak = peak_mib()
print(json.dumps([seconds, passed, peak, imported, len(verdict.lines), len(store.unreadable)]))
"""


@dataclass(frozen=True)
class Shape:
    """What a year holds.

    Attributes:
        tiers: That are read.
        blocks: Runs of each suite in a night.
        metrics: Of a run.
    """

    tiers: tuple[Tier, ...]
    blocks: int
    metrics: int

    @property
    def runs(self) -> int:
        """How many there are of a year."""
        return NIGHTS * self.blocks * len(self.tiers) * len(_SUITES)

    def __str__(self) -> str:
        blocks = f"{self.blocks} blocks" if self.blocks > 1 else "1 block"
        tiers = f"{len(self.tiers)} tiers" if len(self.tiers) > 1 else "1 tier"
        return f"{tiers} × 2 suites × {blocks} × {self.metrics} metrics, {self.runs:,} runs"


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Read a year of what is promised; then judge a tier of it, with so many metrics and with the most there are."""
    one, tier, most = (
        Shape(_TIERS, 1, METRICS),
        Shape(("full",), BLOCKS, METRICS),
        Shape(("full",), BLOCKS, MOST_METRICS),
    )
    return [*_read(one, say), *_judged(tier, say), *_judged(most, say)]


def tonight(blocks: int, metrics: int, cores: int) -> list[Measurement]:
    """The night after the year, of the tier `full`."""
    rng = np.random.default_rng(2)
    return [
        _measurement(NIGHTS, "full", suite, block, rng.lognormal(3, 0.4, metrics), cores=cores)
        for block, suite in product(range(1, blocks + 1), _SUITES)
    ]


def _read(shape: Shape, say: Callable[[str], None]) -> Iterator[Figure]:
    """The year read whole."""
    with tempfile.TemporaryDirectory() as folder:
        say(f"writing {shape}")
        rows = _write(Path(folder), shape)
        say(f"reading {shape}")
        found = [_done(_READ, rows, folder, *shape.tiers) for _ in range(ROUNDS)]
        yield from _figures(f"{shape}: read", shape, found)


def _judged(shape: Shape, say: Callable[[str], None]) -> Iterator[Figure]:
    """What a judgement needs of the year read, and the night judged."""
    with tempfile.TemporaryDirectory() as folder:
        say(f"writing {shape}")
        _write(Path(folder), shape)
        for cores, where in ((CORES, "as before"), (CORES + 1, "new")):
            say(f"judging {shape}, the machine is {where}")
            asked = (folder, shape.blocks, shape.metrics, cores)
            lines = len(_SUITES) * shape.metrics
            found = [_done(_JUDGE, lines, *asked) for _ in range(ROUNDS)]
            yield from _figures(f"{shape}: judged, machine {where}", shape, found)


def _figures(name: str, shape: Shape, found: Sequence[tuple[float, float, float, float]]) -> Iterator[Figure]:
    took, passed, peaks, imported = zip(*found, strict=True)
    promised = shape.metrics <= METRICS
    yield over_rounds(name, took, "CPU s", Goal("<=", 1.0) if promised else None)
    yield over_rounds(f"{name}, the clock meanwhile", passed, "s")
    once = f"{min(imported):.0f} once imported"
    yield over_rounds(f"{name}, peak memory", peaks, "MiB", Goal("<=", 300) if promised else None, once)


def _write(root: Path, shape: Shape) -> int:
    """Write the year and tell how many metrics it has."""
    written = 0
    rng = np.random.default_rng(1)
    for number, tier, suite in product(range(NIGHTS), shape.tiers, _SUITES):
        for block in range(1, shape.blocks + 1):
            measurement = _measurement(number, tier, suite, block, rng.lognormal(3, 0.4, shape.metrics))
            rows = rows_of_run(measurement, ())
            for form in OF_A_RUN:
                about = (measurement.run_id, measurement.started_at, suite, tier)
                path = root / path_of(form, *about)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file_of(form, rows[form.name]))
            written += shape.metrics
    return written


def _measurement(
    number: int, tier: Tier, suite: Suite, block: int, values: Iterable[float], *, cores: int = CORES
) -> Measurement:
    night = _FIRST + timedelta(days=number)
    at = night + timedelta(minutes=20 * _TIERS.index(tier) + 3 * block)
    plan = TIERS[tier].websocket if suite == "websocket" else TIERS[tier].database
    return Measurement(
        run_id=f"{at:%Y%m%dT%H%M%SZ}-{tier}-{suite}-{number:06x}",
        night_id=f"{night:%Y%m%dT%H%M%SZ}-nightly-{number:06x}",
        suite=suite,
        tier=tier,
        environment="local",
        started_at=at,
        duration=60.0,
        plan=plan,
        subject={"kind": "embedded", "server": {"server_version": "18.6"}},
        host={"cpu": "Example CPU @ 3.0 GHz", "cores": cores, "kernel": "6.18.1", "python": "CPython 3.11.7"},
        validity=Validity(),
        operations={},
        uncounted={},
        metrics=tuple(
            Metric(f"query[statement_{place // 6}].execute_time.p{place % 6}", float(value), "ms", 10_000)
            for place, value in enumerate(values)
        ),
        windows=(Window(0, 1, "query", "response_time", 1, b"HISTFAAAABx4nJNpmSzMwMDADAA"),),
        block=block,
    )


def _done(script: str, expected: int, *arguments: object) -> tuple[float, float, float, float]:
    """What a script took: CPU-seconds, seconds, peak and imported MiB; it has to have found so many rows or lines."""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ContenderError(done.stderr.strip())
    seconds, passed, peak, imported, found, unreadable = json.loads(done.stdout)
    if found != expected or unreadable:
        msg = f"{found} of {expected} rows or lines were found, {unreadable} files were not read"
        raise ContenderError(msg)
    return seconds, passed, peak, imported
