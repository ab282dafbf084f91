"""The application's pool: who waits for it, what times out, what is opened again."""

import pytest
from running import load, metric

from nightbench.database.metrics import database_validity
from nightbench.plan.workload import StatementPlan, WorkloadPlan

NAP = WorkloadPlan(statements=(StatementPlan(name="nap", kind="read", sql="SELECT pg_sleep(0.02)"),))
"""Takes the server no work, so that it takes as long whoever else is at one."""


def naps(postgres, **plan):
    return load(postgres.dsn, model="closed", rate=None, warmup=0, workload=NAP, tenants=1, **plan)


def test_with_more_workers_than_connections_the_wait_grows_and_the_execution_does_not(postgres):
    # (a worker that does not think gets the connection back before the others wake)
    runs = [
        naps(postgres, workers=workers, pool_size=2, max_overflow=0, think=0.005, queries=32)
        for workers in (2, 4, 8)
    ]
    wait, execute = (
        [metric(run, f"{name}.mean") for run in runs] for name in ("pool.wait", "query.execute_time")
    )
    # half of the workers take turns at each connection, 20 ms each: 15 ms to wait among two, 55 ms among four
    assert wait[1] - wait[0] > 5
    assert wait[2] - wait[1] > 20
    assert execute[2] - execute[0] < (wait[2] - wait[0]) / 4
    for run in runs:
        assert metric(run, "pool.checked_out.max") == metric(run, "pool.opened") == 2
        assert metric(run, "pool.timeouts") == 0
        assert metric(run, "query.success_rate") == 100


def test_who_waits_for_too_long_is_counted_as_timed_out(postgres):
    result = naps(postgres, workers=6, pool_size=1, max_overflow=0, pool_timeout=0.03, queries=60)
    query = result.load.counted["query"]
    uncounted = result.load.uncounted["query"]
    assert query.errors == {"pool_timeout": query.timed_out}
    assert query.scheduled == query.ok + query.timed_out == 60
    assert query.ok > 0
    assert metric(result, "pool.timeouts") == query.timed_out + uncounted.timed_out > 0
    assert database_validity(result).complete


@pytest.mark.parametrize(("recycle", "renewed"), [(None, False), (0.05, True)])
def test_connections_are_opened_anew_at_their_age(postgres, recycle, renewed):
    result = naps(postgres, workers=2, pool_size=2, max_overflow=0, pool_recycle=recycle, queries=40)
    pool = result.load.pool
    assert (pool.recycled > 0) == renewed
    assert pool.opened == pool.size + pool.recycled
    assert pool.invalidated == 0  # an old connection is no broken one
    assert metric(result, "query.success_rate") == 100


def test_connections_above_the_size_of_the_pool_are_opened_and_closed_again(postgres):
    result = naps(postgres, workers=4, pool_size=1, max_overflow=2, queries=60)
    assert metric(result, "pool.overflow.max") == 2
    assert metric(result, "pool.checked_out.max") == 3
    assert metric(result, "pool.opened") >= 3
    assert metric(result, "pool.recycled") == 0
