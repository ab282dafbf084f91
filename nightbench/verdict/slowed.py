"""What a slower host does to a metric, by its name: it makes times longer and throughputs smaller, and nothing else."""

from __future__ import annotations

from nightbench.verdict.patterns import matches_any

TIMES = ("*time", "*time.*", "*wait", "*wait.*")
"""What takes its time, or waits for what does."""

THROUGHPUTS = ("*throughput", "*per_second")
"""What falls as a single operation takes longer, and no more than that."""

COMMITS = ("*commit_time", "*commit_time.*")
"""What waits for the disk alone."""

WITH_COMMITS = ("query.response_time.*", "query.service_time.*", "query.throughput")
"""What has commits in it among other things."""


def power_of_host(metric: str, most: float) -> float:
    """The power of the slowness of its CPU or loopback that `metric` may be worse by, `most` or less; 0 is nothing."""
    return _power(metric, TIMES, THROUGHPUTS, most)


def power_of_disk(metric: str, most: float) -> float:
    """The same of the disk's."""
    return _power(metric, COMMITS, WITH_COMMITS, most)


def _power(metric: str, whole: tuple[str, ...], in_part: tuple[str, ...], most: float) -> float:
    if matches_any(whole, metric):
        return most
    return min(1.0, most) if matches_any(in_part, metric) else 0.0
