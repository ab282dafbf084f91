"""From what was seen of the server to metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from nightbench.database.observation import Observation
from nightbench.database.observing.isolation import probes_isolation
from nightbench.measurement import Metric
from nightbench.plan import DatabasePlan

_MIB = 2**20


def observation_metrics(observation: Observation, plan: DatabasePlan) -> tuple[Metric, ...]:
    """What was found by probes, pairs and looks, and what the looks cost.

    Which metrics there are depends on the plan alone: ``isolation`` where its workload has tenants and
    something to probe, ``policy`` where it names a statement for it, ``server`` unless its interval is 0. What
    could not be known is None.
    """
    watched = plan.observation_interval > 0
    metrics: list[Metric] = []
    if probes_isolation(plan.mix):
        metrics += _isolation(observation)
    if watched and plan.mix.policy_cost is not None:
        metrics += _policy(observation)
    if watched:
        metrics += [*_server(observation), *_processes(observation)]
    return (*metrics, *_observer(observation))


def _isolation(seen: Observation) -> Iterator[Metric]:
    probes = seen.probes
    told = probes.made - sum(probes.errors.values())
    yield Metric("isolation.probes", probes.made, "1", probes.made)
    yield Metric("isolation.failed_probes", sum(probes.errors.values()), "1", probes.made)
    yield Metric("isolation.leaked_rows", probes.leaked_rows if told else None, "1", told)


def _policy(seen: Observation) -> Iterator[Metric]:
    effect = seen.policy
    n = 0 if effect is None else effect.pairs
    for name, value in (
        ("policy.cost.estimate", None if effect is None else effect.cost_ms),
        ("policy.cost.low", None if effect is None else effect.low_ms),
        ("policy.cost.high", None if effect is None else effect.high_ms),
        ("policy.execute_time.with", None if effect is None else effect.with_ms),
        ("policy.execute_time.without", None if effect is None else effect.without_ms),
    ):
        yield Metric(name, value, "ms", n)


def _server(seen: Observation) -> Iterator[Metric]:
    counters, gauges, looks = seen.counters, seen.gauges, seen.looks
    hit, read = counters.get("blks_hit"), counters.get("blks_read")
    blocks = None if hit is None or read is None else hit + read
    ratio = 100 * hit / blocks if hit is not None and blocks else None
    yield Metric("server.cache_hit_ratio", ratio, "%", int(blocks or 0))
    for name, counter, unit in (
        ("server.transactions", "xact_commit", "1"),
        ("server.rollbacks", "xact_rollback", "1"),
        ("server.deadlocks", "deadlocks", "1"),
        ("server.temp_files", "temp_files", "1"),
        ("server.temp_written", "temp_bytes", "MiB"),
        ("server.wal_written", "wal_bytes", "MiB"),
        ("server.checkpoints", "checkpoints", "1"),
        ("server.autovacuums", "autovacuum_count", "1"),
    ):
        value = counters.get(counter)
        yield Metric(name, value if value is None or unit == "1" else value / _MIB, unit, looks)
    yield Metric("server.dead_tuples", gauges.get("n_dead_tup"), "1", looks)
    for name, gauge in (
        ("server.connections.max", "connections_most"),
        ("server.blocked.max", "blocked_most"),
    ):
        yield Metric(name, gauges.get(gauge), "1", seen.glances)


def _processes(seen: Observation) -> Iterator[Metric]:
    used = seen.server
    n = 0 if used is None else 1
    cpu = None if used is None else used.cpu_seconds
    yield Metric("server.cpu_seconds", cpu, "s", n)
    # of one core: more than 100 where it had several
    yield Metric("server.cpu_share", None if cpu is None else _share(cpu, seen.seconds), "%", n)
    yield Metric("server.memory", None if used is None else used.memory_mib, "MiB", n)
    for name, count in (
        ("server.storage_read", None if used is None else used.read_bytes),
        ("server.storage_written", None if used is None else used.written_bytes),
    ):
        yield Metric(name, None if count is None else count / _MIB, "MiB", n)


def _observer(seen: Observation) -> Iterator[Metric]:
    yield Metric("observer.queries", seen.queries, "1", seen.queries)
    yield Metric("observer.busy_share", _share(seen.busy_seconds, seen.seconds), "%", seen.queries)


def _share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole > 0 else None
