"""What a database stress test, or a part of it, is told and what it saw: plain data, picklable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from nightbench.database.degradation import Course
from nightbench.database.finding import Diagnosis
from nightbench.database.observation import Observation
from nightbench.database.pool_counts import PoolCounts
from nightbench.database.provisions import Provisions
from nightbench.database.workload import Statement
from nightbench.load.health import Health
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import Phases
from nightbench.load.shard import Shard
from nightbench.load.shards import Parts, merged_account
from nightbench.load.timeline import Times
from nightbench.plan import DatabasePlan


@dataclass(frozen=True)
class DatabaseSpec:
    """What the process is told that sees to a whole run.

    Attributes:
        allowed: The databases that may be written to beside those that say so themselves.
    """

    plan: DatabasePlan
    dsn: str = field(repr=False)
    run_id: str
    provisions: Provisions = field(repr=False)
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadSpec:
    """What one generator process is told.

    Attributes:
        plan: Of the whole stress test; a shard does its part of it.
        statements: Of the mix, as they were checked.
        tenants: The ids of all that take part.
        tag: Of the rows that the run writes.
        own: For each worker of this shard a tenant, and a row of it that the worker alone changes, or None.
        start_at: Wall-clock ns (UTC) at which every shard begins; None for at once.
    """

    plan: DatabasePlan
    dsn: str = field(repr=False)
    statements: tuple[Statement, ...]
    tenants: tuple[str, ...] = field(repr=False)
    tag: str
    own: tuple[tuple[str, object], ...] = field(repr=False)
    shard: Shard = field(default_factory=Shard)
    start_at: int | None = None


@dataclass(frozen=True)
class LoadResult:
    """What one generator process saw, or several together. Instants in ns since the start.

    Attributes:
        started_at: Wall clock (UTC) at the start.
        leaked: Rows read that belonged to another tenant.
        retries: Attempts beyond the first of each counted operation.
        retried: How many of these had more than one attempt.
        rows: What the counted operations that ended well read or changed, by operation.
        course: How response times and throughput went over the run.
        last_ok: When the last counted operation that ended well did; 0 when none has.
        starved: Why the generator's times cannot be trusted, one sentence each.
        given_up: Why the run ended before its plan did, or None.
    """

    started_at: datetime
    phases: Phases
    counted: dict[str, OperationCounts]
    uncounted: dict[str, OperationCounts]
    times: tuple[Times, ...]
    health: Health
    leaked: int
    retries: int
    retried: int
    rows: Counter[str]
    course: Course
    last_ok: int
    pool: PoolCounts
    starved: tuple[str, ...]
    given_up: str | None


@dataclass(frozen=True)
class Rows:
    """What a run wrote and removed.

    Attributes:
        tag: Of its rows.
        left_over: What earlier runs had left behind, removed before this one.
        removed: What this run wrote and removed again; None when some of it could not be removed.
        before: Rows of the tenants in each table that is written to, before the run.
        after: The same after it; empty when nobody could count them.
    """

    tag: str
    left_over: int
    removed: int | None
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True)
class DatabaseResult:
    """What a whole run saw.

    Attributes:
        server: Version and settings of the server.
    """

    load: LoadResult
    rows: Rows
    server: Mapping[str, str]
    observation: Observation
    diagnosis: Diagnosis


def merged(parts: Parts[LoadResult]) -> LoadResult:
    """What the shards of one stress test saw together: the same as one generator that had done it all; see `merged_account`."""
    shards = parts.results
    if len(shards) == 1 and not parts.lost:
        return shards[0]
    return replace(
        shards[0],
        **merged_account(parts),
        leaked=sum(each.leaked for each in shards),
        retries=sum(each.retries for each in shards),
        retried=sum(each.retried for each in shards),
        rows=sum((each.rows for each in shards), Counter()),
        course=Course.merged([each.course for each in shards]),
        pool=PoolCounts.merged([each.pool for each in shards]),
    )
