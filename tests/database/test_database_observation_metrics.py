"""From what was seen to metrics: which there are, in which units, and what is missing."""

import math

import pytest
from observing import plan_of, with_mix

from nightbench.database.observation import Observation, PolicyEffect, Probes, ProcessFigures
from nightbench.database.observing.metrics import observation_metrics
from nightbench.plan.workload import WorkloadPlan

SEEN = Observation(
    seconds=10,
    looks=5,
    glances=20,
    counters={
        "blks_hit": 900,
        "blks_read": 100,
        "xact_commit": 500,
        "temp_bytes": 3 * 2**20,
        "wal_bytes": 2**19,
        "deadlocks": 2,
    },
    gauges={"n_dead_tup": 7, "connections_most": 12, "blocked_most": 3},
    server=ProcessFigures(15.0, 200.0, 4 * 2**20, None),
    probes=Probes(10, 3, {"foreign_write": 3}, {"sqlstate_57014": 4}),
    policy=PolicyEffect(40, 3.0, 1.0, 2.0, 1.8, 2.2),
    queries=80,
    busy_seconds=0.25,
)


def values(observation, plan):
    return {metric.name: metric.value for metric in observation_metrics(observation, plan)}


def test_what_was_seen_is_told_in_its_unit():
    told = values(SEEN, plan_of())
    assert told == {
        **told,
        "isolation.probes": 10,
        "isolation.failed_probes": 4,
        "isolation.leaked_rows": 3,
        "policy.cost.estimate": 2.0,
        "policy.cost.low": 1.8,
        "policy.cost.high": 2.2,
        "policy.execute_time.with": 3.0,
        "policy.execute_time.without": 1.0,
        "server.cache_hit_ratio": 90,
        "server.transactions": 500,
        "server.temp_written": 3,
        "server.wal_written": 0.5,
        "server.deadlocks": 2,
        "server.rollbacks": None,
        "server.dead_tuples": 7,
        "server.connections.max": 12,
        "server.blocked.max": 3,
        "server.cpu_seconds": 15,
        "server.cpu_share": 150,
        "server.memory": 200,
        "server.storage_read": 4,
        "server.storage_written": None,
        "observer.queries": 80,
        "observer.busy_share": 2.5,
    }


@pytest.mark.parametrize("observation", [SEEN, Observation()], ids=["all", "nothing"])
def test_the_plan_alone_says_which_metrics_there_are(observation):
    assert values(observation, plan_of()).keys() == values(SEEN, plan_of()).keys()


def test_nothing_seen_is_missing_and_no_nought():
    told = values(Observation(), plan_of())
    counts = {
        name: told.pop(name) for name in ("isolation.probes", "isolation.failed_probes", "observer.queries")
    }
    assert set(counts.values()) == {0}
    assert set(told.values()) == {None}


def test_probes_that_all_failed_say_nothing_of_leaks():
    failed = Observation(probes=Probes(4, 0, {}, {"sqlstate_57014": 4}))
    assert values(failed, plan_of())["isolation.leaked_rows"] is None


@pytest.mark.parametrize(
    ("plan", "operations"),
    [
        (plan_of(), {"isolation", "policy", "server", "observer"}),
        (plan_of(observation_interval=0), {"isolation", "observer"}),
        (with_mix(plan_of(), policy_cost=None), {"isolation", "server", "observer"}),
        (
            plan_of(workload=WorkloadPlan(statements=({"name": "one", "kind": "read", "sql": "SELECT 1"},))),
            {"server", "observer"},
        ),
    ],
    ids=["all", "no looks", "no policy", "no tenants"],
)
def test_what_the_plan_does_not_ask_for_has_no_metric(plan, operations):
    metrics = observation_metrics(SEEN, plan)
    assert {metric.name.partition(".")[0] for metric in metrics} == operations
    assert all(metric.value is None or math.isfinite(metric.value) for metric in metrics)
