"""Which metrics of a trend come first: what is not as ever, then what changed, then what the suite is about."""

from __future__ import annotations

from nightbench.report.overview import MAIN
from nightbench.trend_report.trends import MetricTrend, SuiteTrend

NOT_AS_EVER = ("regression", "suspect", "missing", "muted", "improved", "noisy")
"""States of the last night's lines that are news, in the order of reading."""
REST = 3
"""The rank of metrics of which there is nothing to say."""


def rank(trend: SuiteTrend, each: MetricTrend) -> int:
    """The less, the sooner a reader has to see it."""
    if each.line.state in ("regression", "suspect"):
        return 0
    if each.nights.changes:
        return 1
    return 2 if each.line.metric == f"{MAIN[trend.suite]}.response_time.p95" else REST


def ordered(trend: SuiteTrend) -> list[MetricTrend]:
    """The metrics of which there is something to see, the most important first."""
    seen = (each for each in trend.metrics if each.nights.shows_something)
    return sorted(seen, key=lambda each: rank(trend, each))
