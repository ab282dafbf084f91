"""The trends of a dataset as a Prefect server shows them, and as one file: read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from nightbench.plan import Suite, Tier
from nightbench.report.charts.bundle import Bundle
from nightbench.settings import Settings
from nightbench.trend_report.keeping import path_of_report, place_of_report
from nightbench.trend_report.making import page_of
from nightbench.trend_report.markdown_pages import SuitePart, TrendPage, trend_pages
from nightbench.trend_report.suite_report import Gathered, gathered_suite, report_of


@dataclass(frozen=True)
class DrawnTrend:
    """A trend in both forms.

    Attributes:
        pages: For the server.
        path: Where the file lies below the results.
        html: The file; empty when no night is stored.
        unreadable: Files of the history that had to be passed over, a sentence each.
    """

    pages: tuple[TrendPage, ...]
    path: str
    html: str = field(repr=False)
    unreadable: tuple[str, ...]


def drawn_trend(
    settings: Settings, nights: int, tiers: Sequence[Tier], suites: Sequence[Suite]
) -> DrawnTrend:
    """Read the last `nights` and draw them, which blocks for seconds.

    Args:
        settings: Where they lie, whose they are, and how the last one is judged.
        nights: Of each suite.
        tiers: Which.
        suites: Which.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
        MeasurementError: when there are nights and none of them can be read, or the script that draws could not be
            made.
    """
    bundle = Bundle(settings.cache)
    try:
        found = [gathered_suite(settings, *each, nights) for each in product(tiers, suites)]
        report = page_of(
            [report_of(each) if isinstance(each, Gathered) else each for each in found], settings, bundle
        )
    finally:
        bundle.close()
    path = path_of_report(settings.environment, tiers, suites)
    parts = [
        SuitePart(each.trend, () if each.last is None else each.last.figures)
        for each in found
        if isinstance(each, Gathered)
    ]
    place = "" if report is None else place_of_report(settings, path)
    return DrawnTrend(
        pages=trend_pages(parts, settings.environment, str(settings.results), report=place),
        path=path,
        html="" if report is None else report.html,
        unreadable=() if report is None else report.unreadable,
    )
