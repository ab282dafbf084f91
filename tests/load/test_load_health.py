"""A starved generator makes an invalid measurement, and says how to get out."""

import gc
import os
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from nightbench.load import health as health_module
from nightbench.load.health import (
    BEAT_SECONDS,
    MAX_CPU_SHARE,
    MAX_FILES_SHARE,
    MAX_GC_PAUSE_MS,
    MAX_LAG_MS,
    MAX_RUN_DELAY,
    Health,
    HealthMonitor,
)
from nightbench.load.histogram import Histogram
from nightbench.measurement import health_metrics

BEAT = round(BEAT_SECONDS * 1e9)


@pytest.fixture(autouse=True)
def _collected():
    """A monitor takes everything out of the collector's sight, which is meant for a process of its own."""
    yield
    gc.unfreeze()


def lag(milliseconds, n=200):
    histogram = Histogram()
    histogram.add(np.full(n, int(milliseconds * 1e6)))
    return histogram


def health(cpu=1.0, tick=0.2, **fields):
    return Health(
        **{
            "cpu_seconds": cpu,
            "wall_seconds": 10.0,
            "tick_lag": lag(tick),
            "gc_pause_max_ms": 0.0,
            "open_files": 1,
            "memory_mib": 1.0,
            **fields,
        }
    )


# what is judged


def test_a_healthy_generator_has_no_reason():
    at_its_limits = health(
        cpu=10 * MAX_CPU_SHARE,
        tick=MAX_LAG_MS,
        gc_pause_max_ms=MAX_GC_PAUSE_MS,
        files_share=MAX_FILES_SHARE - 0.01,
        run_delay=MAX_RUN_DELAY,
        stolen=0.5,
    )
    assert at_its_limits.reasons({"sends": lag(MAX_LAG_MS)}) == ()


WAY_OUT = "use a lower rate, fewer users, more shards or a quieter machine"


@pytest.mark.parametrize(
    ("starved", "send_lag", "says", "way_out"),
    [
        (health(cpu=9.1), 0, "the generator used 91% of a core (limit 90%)", WAY_OUT),
        (health(run_delay=0.61), 0, "the generator waited 61% of the time for a core (limit 50%)", WAY_OUT),
        (
            health(gc_pause_max_ms=120),
            0,
            "the garbage collector paused the generator for 120 ms (limit 100 ms)",
            WAY_OUT,
        ),
        (
            health(tick=55),
            0,
            "clock ticks were late by 55 ms at P99 (limit 50 ms), the generator was starved",
            WAY_OUT,
        ),
        (health(), 55, "sends were late by 55 ms at P99 (limit 50 ms), the generator was starved", WAY_OUT),
        (
            health(files_share=0.95),
            0,
            "the generator had 95% of the files open that it may have (limit 95%)",
            "raise `ulimit -n`, or use fewer users or more shards",
        ),
    ],
)
def test_a_starved_one_says_why_and_the_way_out(starved, send_lag, says, way_out):
    assert starved.reasons({"sends": lag(send_lag)}) == (f"{says}: {way_out}",)


@pytest.mark.parametrize(
    ("shares", "explains"),
    [
        ({}, "starved:"),
        ({"run_delay": 0.38}, "starved (it waited 38% of the time for a core):"),
        ({"stolen": 0.12}, "starved (the hypervisor gave 12% of the machine to others):"),
        (
            {"run_delay": 0.38, "stolen": 0.12},
            "starved (it waited 38% of the time for a core; the hypervisor gave 12% of the machine to others):",
        ),
        ({"run_delay": 0.004, "stolen": 0.0}, "starved:"),
    ],
)
def test_what_the_system_knows_explains_the_lateness(shares, explains):
    (reason,) = health(tick=MAX_LAG_MS + 5, **shares).reasons({})
    assert explains in reason


def test_another_suite_has_another_way_out():
    (reason,) = health(cpu=9.9).reasons({}, way_out="use fewer workers")
    assert reason.endswith(": use fewer workers")


def test_a_few_sends_are_judged_by_their_p95_so_that_one_hiccup_is_none():
    few = lag(0.1, n=39)
    few.add(np.array([300_000_000]))
    assert health().reasons({"sends": few}) == ()
    few.add(np.array([300_000_000] * 3))
    assert "at P95" in health().reasons({"sends": few})[0]


@pytest.mark.parametrize(("n", "judged"), [(1, False), (8, False), (19, False), (20, True)])
def test_fewer_than_a_p95_needs_are_not_judged(n, judged):
    """Of 8 users the last connection was late: that says nothing of the generator."""
    assert bool(health().reasons({"connects": lag(300, n=n)})) == judged


def test_ticks_are_judged_however_few():
    (reason,) = health(tick_lag=lag(300, n=3)).reasons({})
    assert reason.startswith("clock ticks were late by 300 ms at P95")


# several as one


def test_what_several_used_adds_up_and_the_worst_is_what_is_limited():
    one = health(
        cpu=4.0, tick=1, gc_pause_max_ms=3, open_files=10, memory_mib=50, files_share=0.2, run_delay=0.3
    )
    two = health(
        cpu=9.5, tick=2, gc_pause_max_ms=1, open_files=30, memory_mib=70, files_share=0.6, stolen=0.1
    )
    both = Health.merged([one, two])
    assert (both.cpu_seconds, both.cpu_share, both.wall_seconds) == (13.5, 0.95, 10.0)
    assert (both.open_files, both.files_share, both.memory_mib) == (40, 0.6, 120)
    assert (both.run_delay, both.stolen, both.gc_pause_max_ms) == (0.3, 0.1, 3)
    together = lag(1)
    together.merge(lag(2))
    assert np.array_equal(both.tick_lag.counts, together.counts)
    assert both.tick_lag.n == 400
    assert one.tick_lag.n == 200


def test_merged_in_any_grouping_they_are_the_same():
    one, two, three = health(cpu=4.0), health(cpu=9.5, run_delay=0.1), health(cpu=2.0, wall_seconds=4.0)
    at_once = Health.merged([one, two, three])
    in_turn = Health.merged([one, Health.merged([two, three])])
    assert replace(at_once, tick_lag=None) == replace(in_turn, tick_lag=None)
    assert at_once.tick_lag.n == in_turn.tick_lag.n


def test_two_processes_may_use_more_than_a_core_together():
    assert Health.merged([health(cpu=6.0), health(cpu=6.0)]).reasons({}) == ()


def test_it_travels_between_processes():
    travelled = pickle.loads(pickle.dumps(health(run_delay=0.1)))
    assert travelled.run_delay == 0.1
    assert travelled.tick_lag.n == 200


def test_what_nobody_knows_is_missing_from_the_metrics():
    metrics = {metric.name: metric for metric in health_metrics(health(run_delay=0.25))}
    assert (metrics["generator.run_delay"].value, metrics["generator.run_delay"].unit) == (25, "%")
    assert metrics["generator.stolen"].value is None


# the monitor


def test_the_monitor_counts_only_between_begin_and_finish():
    monitor = HealthMonitor()
    monitor.tick(0, 10**9)
    monitor.begin()
    assert monitor.tick(10**9, 10**9 + 1_000_000) == 10**9 + BEAT
    gc.collect()
    found = monitor.finish()
    assert found.tick_lag.n == 1
    assert found.gc_pause_max_ms > 0
    assert not [callback for callback in gc.callbacks if getattr(callback, "__self__", None) is monitor]


def test_of_the_pauses_of_the_garbage_collector_the_longest_counts():
    of_all, of_the_last = HealthMonitor(), HealthMonitor()
    of_all.begin()
    kept = [[] for _ in range(500_000)]
    gc.collect()
    of_the_last.begin()  # which does not look at all those again
    gc.collect()
    longest, last = (monitor.finish().gc_pause_max_ms for monitor in (of_all, of_the_last))
    assert longest > 2 * last
    assert kept


def test_a_freeze_is_as_many_late_ticks_as_it_left_out():
    monitor = HealthMonitor()
    monitor.begin()
    assert monitor.tick(0, 100 * BEAT) == 101 * BEAT
    found = monitor.finish()
    assert found.tick_lag.n == 101
    assert found.reasons({})


def test_a_run_that_never_measured_has_used_nothing():
    found = HealthMonitor().finish()
    assert (found.cpu_seconds, found.cpu_share, found.tick_lag.n) == (0, 0, 0)
    assert (found.run_delay, found.stolen) == (None, None)


def test_what_lived_before_is_not_gone_through_again():
    """A collection in the measure phase is of what came to be in it, however many users there are."""
    users = [[] for _ in range(1000)]
    HealthMonitor().begin()
    seen = {id(each) for each in gc.get_objects()}
    assert not [user for user in users if id(user) in seen]


@pytest.fixture
def open_files():
    files = []
    yield files
    for file in files:
        os.close(file)


def test_open_files_are_counted_and_compared_with_the_limit(open_files):
    before = HealthMonitor().finish().open_files
    open_files.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(20))
    found = HealthMonitor().finish()
    assert found.open_files == before + 20
    assert found.files_share == found.open_files / resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_they_are_counted_one_by_one_where_the_system_does_not_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(health_module, "_FILES", tmp_path / "missing")
    assert HealthMonitor().finish().open_files == psutil.Process().num_fds()


_STARVED = """
import multiprocessing, os, time
from nightbench.load.health import HealthMonitor

def burn():
    while True:
        pass

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
beside = [multiprocessing.get_context("fork").Process(target=burn, daemon=True) for _ in range(3)]
for process in beside:
    process.start()
monitor = HealthMonitor()
monitor.begin()
while time.thread_time() < 0.5:
    pass
health = monitor.finish()
for process in beside:
    process.kill()
print(health.run_delay)
print(health.reasons({}))
"""


def test_a_thread_without_a_core_is_found_by_its_waiting():
    """Three burn CPU beside it on the only core that it may use: it waits most of the time."""
    said = subprocess.run(
        [sys.executable, "-c", _STARVED], capture_output=True, text=True, check=True, timeout=60
    )
    run_delay, reasons = said.stdout.splitlines()
    assert float(run_delay) > MAX_RUN_DELAY
    assert "of the time for a core (limit 50%)" in reasons


@pytest.mark.parametrize("content", [None, "", "no three numbers", "0 0 0"])
def test_where_the_system_does_not_tell_nothing_is_made_up(monkeypatch, content, tmp_path):
    told = tmp_path / "schedstat"
    if content is not None:
        told.write_text(content)
    monkeypatch.setattr(health_module, "_SCHEDSTAT", told)
    monitor = HealthMonitor()
    monitor.begin()
    burnt = time.thread_time() + 0.01
    while time.thread_time() < burnt:
        pass
    assert monitor.finish().run_delay is None
