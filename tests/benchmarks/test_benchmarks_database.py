"""What the benchmarks of the database make of logs, counts and CPU time."""

from types import SimpleNamespace

import pytest

from benchmarks import pgbench, service_times, windows
from benchmarks.contenders import NIGHTBENCH
from benchmarks.database import Served
from benchmarks.processes import ContenderError, Cost


def logged(folder, *transactions):
    """A log of pgbench for each of its threads: epoch second and µs of the end, latency and lag in µs."""
    for thread, (seconds, microseconds, latency, lag) in enumerate(transactions):
        line = f"{thread} 7 {latency} 0 {seconds} {microseconds} {lag}\n"
        with (folder / f"transactions.42.{thread % 2}").open("a") as log:
            log.write(line)


def test_a_service_time_is_the_latency_without_the_lag(tmp_path):
    logged(tmp_path, (10, 5, 900, 300), (11, 0, 1000, 50))
    assert sorted(pgbench.service_times(tmp_path, skip_seconds=0)) == [600_000, 950_000]


def test_what_ended_in_the_first_seconds_is_left_out(tmp_path):
    logged(tmp_path, (10, 500_000, 100, 0), (12, 499_999, 200, 0), (12, 500_000, 300, 0))
    assert list(pgbench.service_times(tmp_path, skip_seconds=2)) == [300_000]


def test_a_log_without_a_line_has_no_times(tmp_path):
    assert pgbench.service_times(tmp_path, skip_seconds=2).size == 0


def test_pgbench_runs_the_same_statement_with_begin_alone_or_along():
    assert pgbench.SCRIPT.replace("\\startpipeline\n", "") == pgbench.TOGETHER.replace(
        "\\startpipeline\n", ""
    ).replace("\\endpipeline\n", "")
    assert "startpipeline\nBEGIN READ ONLY;\nSELECT set_config" in pgbench.TOGETHER


def test_the_two_are_compared_within_a_round_and_the_median_round_counts():
    rounds = [
        {
            NIGHTBENCH: {"p50": ours},
            service_times.PGBENCH: {"p50": theirs},
            service_times.TOGETHER: {"p50": 1.0},
        }
        for ours, theirs in ((1.1, 1.0), (5.0, 1.0), (1.1, 9.0))
    ]
    away = service_times._figures("p50", rounds)[-1]
    assert (away.value, away.note, away.met) == (pytest.approx(10), "+10.0 %", True)


class Subject:
    """A server whose transactions are these, one after the other, with so many rows each."""

    def __init__(self, *transactions, rows=20):
        self._counts = [Served(count, rows * count) for count in transactions]

    def served(self):
        return self._counts.pop(0)


class Process:
    """A contender whose CPU time is the number of times that it was asked."""

    terminated = False
    asked = 0

    def terminate(self):
        self.terminated = True


@pytest.fixture
def watched(monkeypatch):
    """Runs no contender: samples one every half second until it is ended, or 20 times."""
    process = Process()

    def cpu_seconds(process):
        process.asked += 1
        return 10.0 * process.asked

    def run(_command, *, on_sample, **_):
        now = iter(range(20))
        # not of the module of everybody: other threads of this process look at the clock too
        monkeypatch.setattr(windows, "time", SimpleNamespace(monotonic=lambda: next(now) / 2))
        for _ in range(20):
            if not process.terminated:
                on_sample(process)
        return Cost(1, 1.0, 1.0, "said", "")

    monkeypatch.setattr(windows, "tree_cpu_seconds", cpu_seconds)
    monkeypatch.setattr(windows, "run", run)
    return process


def test_a_window_begins_when_the_load_is_under_way_and_then_the_contender_is_ended(watched):
    subject = Subject(1000, 1000, 1400, 1600, 2000, 8000)
    seen = windows.window("one", [], subject, seconds=3, environment={})
    assert seen == windows.Window(transactions=6000, rows=120_000, cpu_seconds=10.0)
    assert seen.per_cpu_second == 600
    assert watched.terminated


def test_a_contender_that_ends_before_is_told_with_what_it_said(watched):
    subject = Subject(0, 600, 700)
    with pytest.raises(ContenderError, match="one ended with exit code 1 before it was measured: said"):
        windows.window("one", [], subject, seconds=60, environment={})


@pytest.mark.parametrize(("counts", "rows"), [((0, 600, 700, 900), 0), ((0, 600, 700, 700), 20)])
def test_a_contender_that_reads_nothing_is_none(watched, counts, rows):
    with pytest.raises(ContenderError, match="was given 0 rows"):
        windows.window("one", [], Subject(*counts, rows=rows), seconds=3, environment={})
