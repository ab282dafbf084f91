"""What a generator takes down of itself while it measures."""

import gc
import os
import resource
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from nightbench.load import health as health_module
from nightbench.load.health import (
    BEAT_SECONDS,
    MAX_RUN_DELAY,
    HealthMonitor,
)

BEAT = round(BEAT_SECONDS * 1e9)


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


def test_of_the_pauses_of_the_garbage_collector_the_longest_counts(monkeypatch):
    clock = SimpleNamespace(perf_counter=lambda: now, process_time=lambda: 0.0)
    monkeypatch.setattr(health_module, "time", clock)
    now, lengths = 100.0, iter([0.5, 4.0, 2.0])

    def take_long(phase, _info):
        nonlocal now
        now += next(lengths) if phase == "start" else 1.0

    gc.disable()
    monitor = HealthMonitor()
    monitor.begin()
    gc.callbacks.append(take_long)  # after the monitor's own has looked at the clock
    try:
        for _ in range(3):
            gc.collect()
    finally:
        gc.callbacks.remove(take_long)
        gc.enable()
    assert monitor.finish().gc_pause_max_ms == 4000


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


def test_what_lived_before_is_not_gone_through_again(out_of_sight):
    """A collection in the measure phase is of what came to be in it, however many users there are."""
    out_of_sight.undo()
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
    gc.collect()  # which may close what others have left
    before = HealthMonitor().finish().open_files
    open_files.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(20))
    found = HealthMonitor().finish()
    assert found.open_files == before + 20
    assert found.files_share == found.open_files / resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_they_are_counted_one_by_one_where_the_system_does_not_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(health_module, "_FILES", tmp_path / "missing")
    gc.collect()
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
