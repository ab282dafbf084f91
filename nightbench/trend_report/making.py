"""Making the report: every suite of every tier is gathered, side by side where there are many runs to read."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from multiprocessing import get_context

from nightbench.errors import MeasurementError, NightbenchError
from nightbench.history.store import HistoryStore
from nightbench.plan import TIER_NAMES, Suite, Tier
from nightbench.planning import SUITES
from nightbench.settings import Settings
from nightbench.trend_report.bundle import Bundle
from nightbench.trend_report.page import html_of
from nightbench.trend_report.suite_report import SuiteReport, suite_report
from nightbench.trend_report.view import ReportView, unreadable, view_of

MANY_RUNS = 1_500
"""From so many on it is quicker to read them in several processes, each of which takes a second to start."""

_Job = tuple[Settings, Tier, Suite, int]


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
        MeasurementError: when the script that draws could not be made.
    """
    runs = len(HistoryStore(settings.results).run_ids())
    jobs = [(settings, tier, suite, nights) for tier, suite in product(tiers, suites)]
    bundle = Bundle(settings.cache)
    try:
        found = [each for each in _gathered(jobs, processes if runs >= MANY_RUNS else 1) if each is not None]
        if not found:
            return None
        view = view_of(found, settings.environment, str(settings.results), datetime.now(UTC))
        return TrendReport(html_of(view, found, bundle.text()), view, tuple(unreadable(found)))
    finally:
        bundle.close()


def _gathered(jobs: Sequence[_Job], processes: int) -> list[SuiteReport | None]:
    helpers = min(processes, len(jobs)) - 1
    if helpers <= 0:
        return [suite_report(*job) for job in jobs]
    # a process that others were forked from may have threads
    with ProcessPoolExecutor(
        helpers, mp_context=get_context("spawn"), initializer=_ignore_interrupts
    ) as pool:
        asked = [pool.submit(_of_a_process, job) for job in jobs]
        # this process takes its share from the end, while the others still import
        own = {
            place: suite_report(*jobs[place]) for place in reversed(range(len(jobs))) if asked[place].cancel()
        }
        return [own[place] if place in own else each.result() for place, each in enumerate(asked)]


def _ignore_interrupts() -> None:
    """Whoever began it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _of_a_process(job: _Job) -> SuiteReport | None:
    try:
        return suite_report(*job)
    except NightbenchError as error:  # of more than one word, which does not come through to another process
        raise MeasurementError(str(error)) from None
