"""What was seen of the server while it was loaded, on a connection beside those of the load: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StatementStatistics:
    """What pg_stat_statements counted of one statement during the measure phase.

    Attributes:
        query: Its normalised text, scrubbed and shortened.
        calls: How often it ran.
        total_ms: Server time of all calls.
        rows: Of all calls.
        blocks_hit: Shared blocks found in the cache.
        blocks_read: Shared blocks read from outside of it.
        temp_blocks: Blocks of temporary files written.
        wal_bytes: Of the write-ahead log.
    """

    query: str
    calls: int
    total_ms: float
    rows: int
    blocks_hit: int
    blocks_read: int
    temp_blocks: int
    wal_bytes: int


@dataclass(frozen=True)
class ProcessFigures:
    """What processes used between two looks. Memory is their sum at the last look, shared pages once a process."""

    cpu_seconds: float
    memory_mib: float
    read_bytes: int | None
    written_bytes: int | None


@dataclass(frozen=True)
class Probes:
    """Attempts to get at rows of others while the database was loaded.

    Attributes:
        made: How many.
        leaked_rows: Rows that a probe could read, or write, and should not.
        leaks: How many of `leaked_rows` by what leaked: ``no_tenant:<statement>`` or ``foreign_write``.
        errors: Probes that ended in something else, by class.
    """

    made: int = 0
    leaked_rows: int = 0
    leaks: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyEffect:
    """What row-level security costs: one statement with and without its policies, in interleaved pairs.

    Attributes:
        pairs: How many.
        with_ms: Median execute time as the tenant.
        without_ms: Median execute time as the exempt role.
        cost_ms: Hodges-Lehmann estimate of the paired difference; `low_ms` and `high_ms` its 95 % interval.
    """

    pairs: int
    with_ms: float
    without_ms: float
    cost_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class Observation:
    """All that was seen of the server from the begin to the end of the measure phase.

    Attributes:
        seconds: Between the first and the last look.
        looks: How many there were.
        counters: Differences of the server's counters (pg_stat_database, pg_stat_wal, …) by name.
        gauges: Figures at the last look, or their most, by name: connections, blocked backends, dead tuples, …
        waits: How often a busy backend of the load was seen in which state, ``Lock:transactionid``, or
            ``CPU`` when it waited for nothing.
        statements: The server's own account of what ran, the most expensive first.
        server: CPU, memory and I/O of the server's processes, None when they are not on this machine.
        busy_seconds: How long the observing connection had the server work.
        absent: What could not be seen, and why; a sentence each.
    """

    seconds: float = 0.0
    looks: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    statements: tuple[StatementStatistics, ...] = ()
    server: ProcessFigures | None = None
    probes: Probes = Probes()
    policy: PolicyEffect | None = None
    busy_seconds: float = 0.0
    absent: tuple[str, ...] = ()
