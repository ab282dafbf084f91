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
    """What the server's processes used between two instants, those that ended meanwhile included.

    Attributes:
        cpu_seconds: User and system time.
        memory_mib: Resident at the end: what is private of each, and what is shared of the one that has most.
        read_bytes: From storage; None where the system does not tell.
        written_bytes: To storage; None where the system does not tell.
    """

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
        errors: Probes that ended in something else, by what was tried and the class: ``foreign_write: sqlstate_22012``.
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

    The keys of `counters` are PostgreSQL's own names; one that the server does not have, or may not be
    read, is left out. Differences over the measure phase:

    - of this database, pg_stat_database: ``xact_commit``, ``xact_rollback``, ``blks_hit``, ``blks_read``,
      ``tup_returned``, ``tup_fetched``, ``tup_inserted``, ``tup_updated``, ``tup_deleted``, ``conflicts``,
      ``temp_files``, ``temp_bytes``, ``deadlocks``, ``blk_read_time``, ``blk_write_time`` (ms, 0 unless
      track_io_timing is on), ``active_time`` and ``idle_in_transaction_time`` (ms);
    - of the whole server, pg_stat_wal: ``wal_records``, ``wal_fpi``, ``wal_bytes``, ``wal_buffers_full``;
      and ``checkpoints``, timed and requested;
    - of all user tables of this database together, pg_stat_user_tables: ``seq_scan``, ``seq_tup_read``,
      ``idx_scan``, ``n_tup_upd``, ``n_tup_hot_upd``, ``vacuum_count``, ``autovacuum_count``,
      ``analyze_count``, ``autoanalyze_count``.

    The keys of `gauges`: ``max_connections``; at the last look ``n_live_tup`` and ``n_dead_tup`` of all user
    tables; the most that any look saw: ``connections_most`` (of the whole server), ``load_connections_most``,
    ``active_most`` (connections of the load with a statement at work), ``idle_in_transaction_most`` (of the
    load), ``blocked_most`` (connections of the load that waited for a lock), ``locks_waiting_most`` (requests
    not granted, of anybody), ``others_active_most`` (statements at work in this database that are neither of
    the load nor the observer's).

    Attributes:
        seconds: Between the first and the last look.
        looks: How many there were.
        glances: How many samples are behind `waits`.
        counters: Differences of the server's counters by name.
        gauges: Figures at the last look, or their most, by name.
        waits: How often a connection of the load was seen doing what: ``<type>:<event>`` as pg_stat_activity
            names it, such as ``Lock:transactionid`` or ``IO:DataFileRead``, while a statement was at work;
            ``CPU`` when that waited for nothing; ``idle in transaction`` and ``idle`` when the server waited
            for the generator.
        statements: The server's own account of what ran, the most expensive first; the policy pairs are among
            them.
        server: CPU, memory and I/O of the server's processes, None when they are not on this machine.
        probes: Attempts at rows of others.
        policy: What the policies cost, None when that was not measured.
        queries: How many statements the observer sent.
        busy_seconds: How long its connection waited for them, which is more than the server's work on them.
        absent: What could not be seen, and why; a sentence each.
    """

    seconds: float = 0.0
    looks: int = 0
    glances: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    statements: tuple[StatementStatistics, ...] = ()
    server: ProcessFigures | None = None
    probes: Probes = Probes()
    policy: PolicyEffect | None = None
    queries: int = 0
    busy_seconds: float = 0.0
    absent: tuple[str, ...] = ()
