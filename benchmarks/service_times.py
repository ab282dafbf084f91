"""Truth: the service time that nightbench reports, beside what pgbench logs of the same transaction at the same rate.

Both come 200 times a second, with ten connections, in turn, and most of the time the database does nothing: what is
compared is what one transaction takes.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import pgbench
from benchmarks.contenders import NIGHTBENCH, checked
from benchmarks.database import Database, database, in_a_folder, write_plan
from benchmarks.processes import ROOT, ContenderError, ahead_of_others, run
from benchmarks.table import Figure, Goal, over_rounds
from benchmarks.truth import percentile_ms
from benchmarks.turns import in_turn

RATE = 200
SECONDS = 6
WARMUP_SECONDS = 2
ROUNDS = 7
ALLOWED = 15
"""Percent between nightbench and pgbench."""

PGBENCH = "pgbench"
TOGETHER = "pgbench, BEGIN along with the tenant"
_QUANTILES = {"p50": 0.50, "p95": 0.95}
_WITHIN_SECONDS = 120.0

Times = dict[str, float]
"""Service time in ms by percentile."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """All in turn, round by round, each on one core with all of its processes, the server on the other."""
    with ahead_of_others(), database() as subject:
        rounds = in_turn(CONTENDERS, ROUNDS, say, in_a_folder(subject))
    return [figure for quantile in _QUANTILES for figure in _figures(quantile, rounds)]


def _figures(quantile: str, rounds: list[dict[str, Times]]) -> list[Figure]:
    """The medians of the rounds, and how far nightbench lies from pgbench in the median round."""
    by_name = {name: [turns[name][quantile] for turns in rounds] for name in CONTENDERS}
    ratios = [turns[NIGHTBENCH][quantile] / turns[PGBENCH][quantile] for turns in rounds]
    away = 100 * (statistics.median(ratios) - 1)
    note = f"{away:+.1f} %"
    return [
        *(over_rounds(f"{quantile}: {name}", times, "ms") for name, times in by_name.items()),
        Figure(f"{quantile}: nightbench from pgbench", abs(away), "%", Goal("<=", ALLOWED), note=note),
    ]


def _nightbench(subject: Database, folder: Path) -> Times:
    plan = write_plan(
        folder,
        model="open",
        arrivals="poisson",
        rate=RATE,
        queries=RATE * SECONDS,
        warmup=WARMUP_SECONDS,
    )
    cost = run(
        [
            *(sys.executable, "-m", "nightbench", "database", "--plan", str(plan)),
            *("--results", str(folder / "results"), "--json", "-"),
        ],
        environment={
            "PYTHONPATH": str(ROOT),
            "NIGHTBENCH_CACHE": str(folder / "cache"),
            "NIGHTBENCH_DATABASE_DSN": subject.dsn,
        },
        folder=folder,
        within=SECONDS + _WITHIN_SECONDS,
    )
    try:
        metrics = {row["name"]: row["value"] for row in json.loads(cost.output)["metrics"]}
        return {name: metrics[f"query.service_time.{name}"] for name in _QUANTILES}
    except (ValueError, KeyError):
        msg = f"nightbench ended with exit code {cost.exit_code} and no times: {cost.errors[-2000:]}"
        raise ContenderError(msg) from None


def _pgbench(script: str) -> Callable[[Database, Path], Times]:
    def contender(subject: Database, folder: Path) -> Times:
        options = (f"--rate={RATE}", f"--time={WARMUP_SECONDS + SECONDS}", *pgbench.logged(folder))
        command = pgbench.pgbench(folder, *options, script=script)
        within = SECONDS + _WITHIN_SECONDS
        checked(run(command, environment=pgbench.environment(subject), within=within), PGBENCH)
        times = pgbench.service_times(folder, skip_seconds=WARMUP_SECONDS)
        return {name: percentile_ms(times, quantile) for name, quantile in _QUANTILES.items()}

    return contender


CONTENDERS: dict[str, Callable[[Database, Path], Times]] = {
    NIGHTBENCH: _nightbench,
    PGBENCH: _pgbench(pgbench.SCRIPT),
    TOGETHER: _pgbench(pgbench.TOGETHER),
}
