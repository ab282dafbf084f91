"""When nights were, in words; all in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nightbench.trend_report.trends import SuiteTrend
from nightbench.wording import amount


def day(instant: datetime) -> str:
    """``2026-11-24``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def minute(instant: datetime) -> str:
    """``2026-11-24 03:15``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def time(instant: datetime) -> str:
    """``03:15``."""
    return f"{instant.astimezone(UTC):%H:%M}"


def span(trends: Sequence[SuiteTrend]) -> str:
    """``90 nights, 2026-08-26 to 2026-11-24``; the times where all are of one day."""
    first, last = min(each.first for each in trends), max(each.last for each in trends)
    nights = amount(max(each.nights for each in trends), "night")
    if len({each.nights for each in trends}) > 1:
        nights = f"up to {nights} of a suite"
    if day(first) != day(last):
        return f"{nights}, {day(first)} to {day(last)}"
    until = "" if first == last else f" to {time(last)}"
    return f"{nights}, {minute(first)}{until} UTC"
