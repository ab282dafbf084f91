"""A starved generator makes an invalid measurement, and says how to get out."""

import gc

import numpy as np
import pytest

from nightbench.load.health import BEAT_SECONDS, MAX_CPU_SHARE, MAX_LAG_MS, Health, HealthMonitor
from nightbench.load.histogram import Histogram

BEAT = round(BEAT_SECONDS * 1e9)


def lag(milliseconds, n=200):
    histogram = Histogram()
    histogram.add(np.full(n, int(milliseconds * 1e6)))
    return histogram


def health(cpu=1.0, tick=0.2):
    return Health(
        cpu_seconds=cpu, wall_seconds=10.0, tick_lag=lag(tick), gc_pause_max_ms=0, open_files=1, memory_mib=1
    )


def test_a_healthy_generator_has_no_reason():
    assert health().reasons({"sends": lag(0.5)}) == ()


@pytest.mark.parametrize(
    ("starved", "send_lag", "says"),
    [
        (health(cpu=10 * MAX_CPU_SHARE + 0.1), lag(0), "of a core"),
        (health(tick=MAX_LAG_MS + 5), lag(0), "clock ticks were late"),
        (health(), lag(MAX_LAG_MS + 5), "sends were late"),
    ],
)
def test_a_starved_one_says_why_and_the_way_out(starved, send_lag, says):
    (reason,) = starved.reasons({"sends": send_lag})
    assert says in reason
    assert "use a lower rate" in reason


def test_the_monitor_counts_only_between_begin_and_finish():
    monitor = HealthMonitor()
    monitor.tick(0, 10**9)
    monitor.begin()
    assert monitor.tick(10**9, 10**9 + 1_000_000) == 10**9 + BEAT
    gc.collect()
    found = monitor.finish()
    assert found.tick_lag.n == 1
    assert found.gc_pause_max_ms > 0
    assert found.open_files > 0
    assert not [callback for callback in gc.callbacks if getattr(callback, "__self__", None) is monitor]


def test_a_freeze_is_as_many_late_ticks_as_it_left_out():
    monitor = HealthMonitor()
    monitor.begin()
    assert monitor.tick(0, 100 * BEAT) == 101 * BEAT
    found = monitor.finish()
    assert found.tick_lag.n == 101
    assert found.reasons({})


def test_a_few_sends_are_judged_by_their_p95_so_that_one_hiccup_is_none():
    few = lag(0.1, n=39)
    few.add(np.array([300_000_000]))
    assert health().reasons({"sends": few}) == ()
    few.add(np.array([300_000_000] * 3))
    assert "at P95" in health().reasons({"sends": few})[0]


def test_a_run_that_never_measured_has_used_nothing():
    found = HealthMonitor().finish()
    assert (found.cpu_seconds, found.cpu_share, found.tick_lag.n) == (0, 0, 0)
