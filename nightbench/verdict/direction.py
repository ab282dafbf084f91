"""Which way is worse, by the name of a metric."""

from __future__ import annotations

from nightbench.verdict.patterns import matches_any

LOWER_IS_WORSE = (
    "*throughput",
    "*success_rate",
    "*hit_ratio",
    "*hit_rate",
    "*per_second",
    "*connected_users",
    "connection.rate",
)
"""Of these there should be more; of everything else, such as times and failures, less."""


def higher_is_worse(metric: str) -> bool:
    """Whether more of `metric` is bad, as its name says."""
    return not matches_any(LOWER_IS_WORSE, metric)
