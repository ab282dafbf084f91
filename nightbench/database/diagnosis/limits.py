"""What held the load back, as far as it shows: the pool, locks, storage, the generator itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nightbench.database.diagnosis.figures import LoadFigures
from nightbench.database.finding import Finding
from nightbench.database.observation import Observation
from nightbench.plan import DatabasePlan

WAITING_SHARE = 0.25
"""The part of the service time that waiting for the pool takes, from which the pool is what limits."""
WAITING_MS = 1.0
"""Less than this at P95 is nothing that anybody feels."""
LOCKED_SHARE = 0.2
"""The part of the busy backends that wait for locks, from which locks are what limits; so does the next."""
STORAGE_SHARE = 0.4
LEAST_SEEN = 10
"""Backends that have to be seen in such a state: fewer are chance."""
FAILED_SHARE = 0.01
"""The part of the operations that fail for want of a lock, from which it is worth a word."""
BUSY_SHARE = 0.9
"""The part of the time in which the workers are at an operation, from which they are all busy."""

_LOCK_FAILURES = {"sqlstate_55P03": "lock time-outs", "sqlstate_40P01": "deadlocks"}
_WAITING_FOR_THE_GENERATOR = ("idle", "Client:")
_WRITES = ("WAL", "DataFileSync", "DataFileWrite", "DataFileExtend", "DataFileFlush")


def limit_findings(plan: DatabasePlan, load: LoadFigures, observation: Observation) -> tuple[Finding, ...]:
    """What limited the work, by the load's figures and what was seen of the server meanwhile."""
    return (
        *_pool(plan, load),
        *_locks(load, observation),
        *_storage(observation),
        *_generator(plan, load),
    )


def other_writers(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Finding, ...]:
    """Tables that do not have as many rows of the tenants after a run, and its clean-up, as before."""
    return tuple(
        Finding(
            "other_writers",
            table,
            f"{table} had {before[table]:,} rows of the tenants before the run and has {after[table]:,} after it, "
            "although the run removed what it wrote: somebody else, or a trigger or function of this "
            "workload, writes to it",
            "load a database that nobody else uses, and have what triggers and functions insert carry the tag of the "
            "run; until then take its times with a grain of salt",
            {"table": table, "before": before[table], "after": after[table]},
        )
        for table in sorted(before.keys() & after.keys())
        if before[table] != after[table]
    )


def _pool(plan: DatabasePlan, load: LoadFigures) -> Iterator[Finding]:
    if load.pool_most < load.pool_connections and not load.pool_timeouts:
        return
    share = load.pool_wait / load.service if load.service else 0.0
    felt = share >= WAITING_SHARE and (load.pool_wait_p95 or load.pool_wait) >= WAITING_MS
    if not felt and not load.pool_timeouts:
        return
    timeouts = f", {load.pool_timeouts:,} gave up waiting" if load.pool_timeouts else ""
    connections = f"{load.pool_connections:,} connections, all of them in use"
    if load.pool_connections == 1:
        connections = "1 connection"
    yield Finding(
        "pool_too_small",
        "pool",
        f"{plan.workers:,} workers shared {connections}: waiting for one took {share:.0%} of the time of an operation{timeouts}",
        f"a pool of up to {plan.workers:,} connections (pool_size, max_overflow) when the server has the cores for "
        "it; otherwise shorter transactions or fewer workers",
        {
            "connections": load.pool_connections,
            "in_use_at_most": load.pool_most,
            "workers": plan.workers,
            "wait_ms": round(load.pool_wait, 3),
            "wait_p95_ms": load.pool_wait_p95,
            "service_ms": round(load.service, 3),
            "timeouts": load.pool_timeouts,
        },
    )


def _seen(observation: Observation, kind: str) -> tuple[dict[str, int], float]:
    """How often busy backends were seen in a kind of wait, by event, and their share of all busy ones."""
    busy = {
        name: times
        for name, times in observation.waits.items()
        if not name.startswith(_WAITING_FOR_THE_GENERATOR)
    }
    prefix = f"{kind}:"
    events = {name.removeprefix(prefix): times for name, times in busy.items() if name.startswith(prefix)}
    return events, sum(events.values()) / sum(busy.values()) if events else 0.0


def _locks(load: LoadFigures, observation: Observation) -> Iterator[Finding]:
    events, share = _seen(observation, "Lock")
    seen = sum(events.values()) >= LEAST_SEEN and share >= LOCKED_SHARE
    failures = {_LOCK_FAILURES[name]: load.errors[name] for name in _LOCK_FAILURES if load.errors.get(name)}
    many = sum(failures.values()) > FAILED_SHARE * load.operations
    if not seen and not many:
        return
    told = [f"{share:.0%} of the busy backends waited for a lock ({_most(events)})"] if seen else []
    told += [f"{times:,} {name}" for name, times in failures.items()]
    yield Finding(
        "limited_by_locks",
        "locks",
        f"transactions waited for each other: {', '.join(told)}",
        "shorter transactions, rows changed in the same order everywhere, and no row that all of them change",
        {"waits": events, "share": round(share, 4), "failures": failures},
    )


def _storage(observation: Observation) -> Iterator[Finding]:
    events, share = _seen(observation, "IO")
    if sum(events.values()) < LEAST_SEEN or share < STORAGE_SHARE:
        return
    hit, read = (observation.counters.get(name, 0.0) for name in ("blks_hit", "blks_read"))
    writing = sum(times for event, times in events.items() if event.startswith(_WRITES))
    suggestion = (
        "fewer and larger transactions, quicker storage for the WAL, or synchronous_commit off where a lost "
        "second is no loss"
        if writing > sum(events.values()) / 2
        else "more shared_buffers or memory, indexes that read fewer pages, or quicker storage"
    )
    yield Finding(
        "limited_by_io",
        "storage",
        f"{share:.0%} of the busy backends waited for storage ({_most(events)})",
        suggestion,
        {
            "waits": events,
            "share": round(share, 4),
            "cache_hit_ratio": round(hit / (hit + read), 4) if hit + read else None,
        },
    )


def _generator(plan: DatabasePlan, load: LoadFigures) -> Iterator[Finding]:
    if load.starved:
        yield Finding(
            "limited_by_generator",
            "generator",
            f"the generator, not the server, set the times: {'; '.join(load.starved)}",
            "do that before anything else: until then no time tells of the server alone",
            {"reasons": list(load.starved)},
        )
        return
    busy = load.operations * load.service / 1000 / (load.seconds * plan.workers) if load.seconds else 0.0
    busy = min(1.0, busy)  # what was begun last went on after the measure phase
    waiting = load.worker_wait / load.response if load.response else 0.0
    # what waits for the pool too is told as that
    waits_for_pool = load.service > 0 and load.pool_wait / load.service >= WAITING_SHARE
    if plan.model != "open" or busy < BUSY_SHARE or waiting < WAITING_SHARE or waits_for_pool:
        return
    yield Finding(
        "limited_by_generator",
        "workers",
        f"all {plan.workers:,} workers were busy {busy:.0%} of the time, each operation for "
        f"{load.service:,.1f} ms: operations waited for a worker for {waiting:.0%} of their response time",
        "quicker statements first, see the slowest; with these times the rate needs more workers, if an application "
        "would have them",
        {
            "workers": plan.workers,
            "busy": round(busy, 4),
            "worker_wait_ms": round(load.worker_wait, 3),
            "response_ms": round(load.response, 3),
        },
    )


def _most(events: Mapping[str, int]) -> str:
    """The event that was seen most often."""
    return max(events, key=lambda event: events[event], default="")
