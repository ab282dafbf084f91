"""What held a load back: each rule with what it must not accuse."""

import pytest
from diagnosing import PLAN, figures, kinds

from nightbench.database.diagnosis.limits import limit_findings, other_writers
from nightbench.database.observation import Observation

FULL = {"pool_most": 18, "pool_wait": 5.0, "pool_wait_p95": 9.0, "service": 8.0}
POOL, LOCKS, STORAGE = (
    ("pool_too_small", "pool"),
    ("limited_by_locks", "locks"),
    ("limited_by_io", "storage"),
)
GENERATOR, WORKERS = ("limited_by_generator", "generator"), ("limited_by_generator", "workers")
BUSY = {"operations": 1000, "service": 76.0, "worker_wait": 40.0, "response": 120.0}


@pytest.mark.parametrize(
    ("load", "waits", "expected"),
    [
        ({}, {}, []),
        (FULL, {}, [POOL]),
        ({**FULL, "pool_most": 17}, {}, []),
        ({**FULL, "pool_wait": 1.9}, {}, []),
        ({**FULL, "pool_wait": 0.5, "pool_wait_p95": 0.9, "service": 1.0}, {}, []),
        ({**FULL, "pool_wait_p95": None}, {}, [POOL]),
        ({"pool_timeouts": 1}, {}, [POOL]),
        ({}, {"CPU": 40, "Lock:transactionid": 6, "Lock:tuple": 4}, [LOCKS]),
        ({}, {"CPU": 41, "Lock:transactionid": 10}, []),
        ({}, {"CPU": 1, "Lock:transactionid": 9}, []),
        (
            {},
            {"CPU": 9, "Lock:tuple": 10, "idle": 90, "idle in transaction": 9, "Client:ClientRead": 9},
            [LOCKS],
        ),
        ({}, {"CPU": 1, "LWLock:BufferContent": 99}, []),
        ({"errors": {"sqlstate_40P01": 11}}, {}, [LOCKS]),
        ({"errors": {"sqlstate_55P03": 11}}, {}, [LOCKS]),
        ({"errors": {"sqlstate_55P03": 10, "sqlstate_57014": 500}}, {}, []),
        ({}, {"CPU": 15, "IO:DataFileRead": 10}, [STORAGE]),
        ({}, {"CPU": 16, "IO:DataFileRead": 10}, []),
        ({}, {"IO:DataFileRead": 9}, []),
        ({"starved": ["the generator used 95% of a core"]}, {}, [GENERATOR]),
        (BUSY, {}, [WORKERS]),
        ({**BUSY, "service": 70.0}, {}, []),
        ({**BUSY, "worker_wait": 25.0}, {}, []),
        ({**BUSY, "pool_wait": 30.0}, {}, []),
    ],
)
def test_what_limited(load, waits, expected):
    assert kinds(limit_findings(PLAN, figures(**load), Observation(waits=waits))) == expected


def test_workers_of_a_closed_loop_are_always_busy():
    closed = PLAN.model_copy(update={"model": "closed", "rate": None})
    assert not limit_findings(closed, figures(**BUSY), Observation())


@pytest.mark.parametrize(
    ("event", "word"), [("DataFileRead", "shared_buffers"), ("WALSync", "synchronous_commit")]
)
def test_storage_that_is_read_is_mended_otherwise_than_storage_that_is_written(event, word):
    seen = Observation(waits={f"IO:{event}": 20}, counters={"blks_hit": 90.0, "blks_read": 10.0})
    (finding,) = limit_findings(PLAN, figures(), seen)
    assert word in finding.suggestion
    assert finding.evidence["cache_hit_ratio"] == 0.9


def test_the_evidence_of_the_pool():
    (finding,) = limit_findings(PLAN, figures(**FULL, pool_timeouts=3), Observation())
    assert "8 workers shared 18 connections" in finding.text
    assert "3 gave up waiting" in finding.text
    assert finding.evidence["wait_p95_ms"] == 9.0


def test_a_table_that_somebody_else_wrote_to():
    before, after = {"a": 10, "b": 5, "c": 1}, {"a": 12, "b": 5}
    (finding,) = other_writers(before, after)
    assert kinds([finding]) == [("other_writers", "a")]
    assert (finding.evidence["before"], finding.evidence["after"]) == (10, 12)
    assert "somebody else, or a trigger or function of this workload, writes to it" in finding.text


def test_rows_that_nobody_could_count_accuse_nobody():
    assert other_writers({"a": 10}, {}) == ()
