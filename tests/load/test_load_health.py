"""A starved generator makes an invalid measurement, and says how to get out."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from nightbench.load.health import (
    MAX_CPU_SHARE,
    MAX_FILES_SHARE,
    MAX_GC_PAUSE_MS,
    MAX_LAG_MS,
    MAX_RUN_DELAY,
    Health,
)
from nightbench.load.histogram import Histogram
from nightbench.load.storage import Stored
from nightbench.measurement import health_metrics


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
        cpu=4.0,
        tick=1,
        gc_pause_max_ms=3,
        open_files=10,
        memory_mib=50,
        files_share=0.2,
        run_delay=0.3,
        stored=Stored(5, 7),
    )
    two = health(
        cpu=9.5,
        tick=2,
        gc_pause_max_ms=1,
        open_files=30,
        memory_mib=70,
        files_share=0.6,
        stolen=0.1,
        stored=Stored(1, 2),
    )
    both = Health.merged([one, two])
    assert (both.cpu_seconds, both.cpu_share, both.wall_seconds) == (13.5, 0.95, 10.0)
    assert (both.open_files, both.files_share, both.memory_mib) == (40, 0.6, 120)
    assert (both.run_delay, both.stolen, both.gc_pause_max_ms) == (0.3, 0.1, 3)
    assert both.stored == Stored(6, 9)
    together = lag(1)
    together.merge(lag(2))
    assert np.array_equal(both.tick_lag.counts, together.counts)
    assert both.tick_lag.n == 400
    assert one.tick_lag.n == 200


def test_merged_in_any_grouping_they_are_the_same():
    one, two = health(cpu=4.0, stored=Stored(1, 2)), health(cpu=9.5, run_delay=0.1, stored=Stored(3, None))
    three = health(cpu=2.0, wall_seconds=4.0, stored=Stored(5, 6))
    at_once = Health.merged([one, two, three])
    in_turn = Health.merged([one, Health.merged([two, three])])
    assert replace(at_once, tick_lag=None) == replace(in_turn, tick_lag=None)
    assert at_once.tick_lag.n == in_turn.tick_lag.n
    assert at_once.stored == Stored(9, None)


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
    assert metrics["generator.storage_read"].value is None


def test_storage_is_told_in_mebibytes():
    metrics = {metric.name: metric for metric in health_metrics(health(stored=Stored(3 * 2**20, 0)))}
    read, written = metrics["generator.storage_read"], metrics["generator.storage_written"]
    assert (read.value, read.unit, read.n) == (3, "MiB", 1)
    assert (written.value, written.unit, written.n) == (0, "MiB", 1)
