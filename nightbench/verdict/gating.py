"""Which metrics can be a regression, by name: what a user feels, once; the rest explains."""

from __future__ import annotations

from nightbench.verdict.patterns import matches, matches_any

INFORMS = (
    # not of the subject, or its inside
    "generator.*",
    "calibration.*",
    "observer.*",
    "server.*",
    "isolation.*",
    "policy.*",
    # how late the generator was, what failed how fast, what the parts of a run did
    "*.send_lag.*",
    "*.failure_time.*",
    "*.first_tenth.*",
    "*.last_tenth.*",
    "*.growth",
    "*.decline",
    # one lucky or unlucky operation, and what that does to a mean
    "*time.min",
    "*time.mean",
    "*time.max",
    # parts of a time that gates as a whole
    "*.tcp_time.*",
    "*.tls_time.*",
    "*.upgrade_time.*",
    "*.chunk_gap.*",
    "*.last_chunk_time.*",
    "*.first_chunk_time.p99",
    "*.service_time.p50",
    "*.service_time.p99",
    "query.begin_time.*",
    "query.execute_time.*",
    "query.commit_time.p50",
    "query.commit_time.p99",
    "query.worker_wait.*",
    "query[*].response_time.*",
    "query[*].execute_time.p99",
    "query[*].throughput",
    "message[*].service_time.*",
    "message[*].first_chunk_time.*",
    "message[*].response_time.p99",
    "message[*].throughput",
    "reconnection.*time.p50",
    "reconnection.*time.p99",
    "pool.wait.min",
    "pool.wait.mean",
    "pool.wait.max",
    "pool.wait.p50",
    "pool.wait.p99",
    # counts
    "connection.connected_users",
    "connection.rate",
    "connection.lost",
    "connection.downtime.*",
    "reconnection.attempts",
    "message.chunks.*",
    "message.reply_bytes.*",
    "message.stray",
    "query.leaked_rows",
    "query.retries",
    "query.retried",
    "*.rows.mean",
    "pool.size",
    "pool.opened",
    "pool.recycled",
    "pool.invalidated",
    "pool.timeouts",
    "pool.overflow*",
    "pool.checked_out.*",
)
"""What is shown and never a regression; a name that is not here gates, so that a metric of one's own does."""

TAILS = ("*p9?", "*p99.*", "*p99?", "*p99??", "*max")
"""Tail percentiles: what a few operations decide, and may be too noisy to gate."""

HOST = "calibration.*"
"""What the host alone took for a fixed piece of work."""

ECHO, FSYNC = "calibration.echo_time", "calibration.fsync_time"
"""Of them, the loopback's and the disk's."""


def gates(metric: str) -> bool:
    """Whether `metric` can be a regression, as its name says."""
    return not matches_any(INFORMS, metric)


def is_tail(metric: str) -> bool:
    """Whether `metric` is a tail percentile."""
    return matches_any(TAILS, metric)


def of_host(metric: str) -> bool:
    """Whether `metric` is one of the host's calibration."""
    return matches(HOST, metric)
