"""Making the report: every suite of every tier is gathered, and put on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING

from nightbench.errors import MeasurementError
from nightbench.plan import TIER_NAMES, Suite, Tier
from nightbench.planning import SUITES
from nightbench.report.charts.bundle import Bundle
from nightbench.scrub import scrub
from nightbench.settings import Settings
from nightbench.trend_report.side_by_side import gathered, has_many_runs

if TYPE_CHECKING:
    from nightbench.trend_report.suite_report import SuiteReport, Unread
    from nightbench.trend_report.view import ReportView


@dataclass(frozen=True)
class TrendReport:
    """A report that was made.

    Attributes:
        html: The page.
        view: What it says.
        unreadable: Files of the history that had to be passed over, a sentence each.
    """

    html: str
    view: ReportView
    unreadable: tuple[str, ...]


def trend_report(
    settings: Settings,
    *,
    nights: int,
    tiers: Sequence[Tier] = TIER_NAMES,
    suites: Sequence[Suite] = SUITES,
    processes: int = 1,
) -> TrendReport | None:
    """The report of the last `nights`; None when none of them is stored. It blocks for seconds.

    Args:
        settings: Where they lie, whose they are, and how the last one is judged.
        nights: Of each suite.
        tiers: Which.
        suites: Which.
        processes: That may read side by side where there is much to read, this one among them. Each other one
            imports the module that this one was begun with.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
        MeasurementError: when there are nights and none of them can be read, or the script that draws could not be
            made.
    """
    jobs = [(settings, tier, suite, nights) for tier, suite in product(tiers, suites)]
    bundle = Bundle(settings.cache)
    try:
        allowed = processes if processes > 1 and has_many_runs(settings) else 1
        return page_of(gathered(jobs, allowed), settings, bundle)
    finally:
        bundle.close()


def page_of(found: Sequence[SuiteReport | Unread], settings: Settings, bundle: Bundle) -> TrendReport | None:
    """Put what was gathered on one page; None when no night is stored.

    Raises:
        MeasurementError: when there are nights and none of them can be read, or the script could not be made.
    """
    # with all that a suite is gathered with, which `gathered` imports once the other processes begin
    from nightbench.trend_report.page import html_of  # noqa: PLC0415
    from nightbench.trend_report.suite_report import SuiteReport  # noqa: PLC0415
    from nightbench.trend_report.view import view_of  # noqa: PLC0415

    unreadable = tuple(dict.fromkeys(scrub(sentence) for each in found for sentence in each.unreadable))
    suites = [each for each in found if isinstance(each, SuiteReport)]
    lost = [each for each in found if not isinstance(each, SuiteReport) and each.unreadable]
    if not suites and unreadable:
        raise MeasurementError(f"no night can be read: {unreadable[0]}")
    if not suites:
        return None
    view = view_of(
        suites,
        settings.environment,
        str(settings.results),
        datetime.now(UTC),
        lost=[f"{each.tier} {each.suite}" for each in lost],
        unreadable=unreadable,
    )
    return TrendReport(html_of(view, suites, bundle.text()), view, unreadable)
