"""The trends of a dataset as the pages that a Prefect server shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightbench.history.store import HistoryStore
from nightbench.plan import Suite, Tier
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.trend_report.last_night import last_night
from nightbench.trend_report.markdown_pages import SuitePart, TrendPage, trend_pages
from nightbench.trend_report.trends import suite_trends


@dataclass(frozen=True)
class DrawnPages:
    """The pages, and the files of the history that had to be passed over, a sentence each."""

    pages: tuple[TrendPage, ...]
    unreadable: tuple[str, ...]


def drawn_pages(
    settings: Settings, nights: int, tiers: Sequence[Tier], suites: Sequence[Suite], report: str
) -> DrawnPages:
    """Read the last `nights` and draw them, which blocks for seconds.

    Args:
        settings: Where they lie, whose they are, and how the last one is judged.
        nights: Of each suite.
        tiers: Which.
        suites: Which.
        report: Where the whole report lies as one file; empty when there is none.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
    """
    store, policy = HistoryStore(settings.results), policy_of(settings)
    parts = []
    for trend in suite_trends(store, settings.environment, policy, nights=nights, tiers=tiers, suites=suites):
        last = last_night(store, trend)
        parts.append(SuitePart(trend, () if last is None else last.figures))
    return DrawnPages(
        trend_pages(parts, settings.environment, str(settings.results), report=report),
        tuple(f"{file.path}: not part of the history: {file.problem}" for file in store.unreadable),
    )
