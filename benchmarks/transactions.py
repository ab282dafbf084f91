"""Transactions per generator CPU-second: the assistant's expense listing with tenant set-up, 10 workers, closed loop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import pgbench
from benchmarks.contenders import NIGHTBENCH, peer
from benchmarks.database import WORKERS, Database, database, in_a_folder, write_plan
from benchmarks.processes import ROOT
from benchmarks.table import Figure, Goal
from benchmarks.turns import cost_figures, in_turn
from benchmarks.windows import Window, window

SECONDS = 6.0
ROUNDS = 3

LOCUST = "Locust (psycopg)"
BARE = "bare psycopg threads"
PGBENCH = "pgbench"

GOALS = {LOCUST: Goal(">=", 1.0), BARE: Goal(">=", 0.85)}
"""How many times the transactions of a peer nightbench makes of a CPU-second."""

_WITHOUT_END = 100_000_000
"""Transactions: more than any window sees."""

Contender = Callable[[Database, Path], Window]
"""What loads a database until it is ended, in a folder of its own."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """All in turn, round by round, each on one core with all of its processes, the server on the other."""
    with database() as subject:
        rounds = in_turn(CONTENDERS, ROUNDS, say, in_a_folder(subject))
    return cost_figures("closed loop", rounds, GOALS)


def _nightbench(subject: Database, folder: Path) -> Window:
    plan = write_plan(folder, model="closed", think=0, warmup=0, queries=_WITHOUT_END)
    command = [
        *(sys.executable, "-m", "nightbench", "database", "--plan", str(plan)),
        *("--results", str(folder / "results"), "--json", str(folder / "result.json")),
    ]
    environment = {
        "PYTHONPATH": str(ROOT),
        "NIGHTBENCH_CACHE": str(folder / "cache"),
        "NIGHTBENCH_DATABASE_DSN": subject.dsn,
    }
    return window(NIGHTBENCH, command, subject, seconds=SECONDS, environment=environment, folder=folder)


def _locust(subject: Database, _folder: Path) -> Window:
    command = [
        *(str(peer("locust")), "--locustfile", str(ROOT / "benchmarks" / "peers" / "locust_psycopg.py")),
        *("--headless", "--only-summary", "--loglevel", "ERROR"),
        *("--users", str(WORKERS), "--spawn-rate", str(WORKERS)),
    ]
    return window(LOCUST, command, subject, seconds=SECONDS, environment=subject.environment)


def _bare(subject: Database, _folder: Path) -> Window:
    command = [sys.executable, "-m", "benchmarks.peers.bare_psycopg"]
    return window(BARE, command, subject, seconds=SECONDS, environment=subject.environment)


def _pgbench(subject: Database, folder: Path) -> Window:
    command = pgbench.pgbench(folder, "--time=3600")
    environment = pgbench.environment(subject)
    return window(PGBENCH, command, subject, seconds=SECONDS, environment=environment)


CONTENDERS: dict[str, Contender] = {
    NIGHTBENCH: _nightbench,
    LOCUST: _locust,
    BARE: _bare,
    PGBENCH: _pgbench,
}
