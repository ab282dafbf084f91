"""Words that several figures share: what a suite's main operation is called, and spans of time and amounts."""

from __future__ import annotations

from nightbench.history.runs import StoredRun
from nightbench.report.charts.theme import text
from nightbench.report.layout import count, number

_LATENCY = {"message": "Message latency", "query": "Query latency"}


def title_of(run: StoredRun, what: str) -> str:
    """What a figure of a run is about."""
    return text(f"{what}, {run.tier} {run.suite}")


def latency_of(operation: str) -> str:
    """What the response time of an operation is called in a title."""
    return _LATENCY.get(operation, f"{operation} latency")


def ms(value: float | None) -> str:
    """A duration with its unit; a dash when it is missing."""
    return number(value, "ms")


def samples(amount: int) -> str:
    """``1 sample``, ``2,000 samples``."""
    return f"{count(amount)} sample{'' if amount == 1 else 's'}"
