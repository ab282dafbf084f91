"""The last night of a trend, whole: the run that stands for it, and those of its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from nightbench.history.runs import StoredRun
from nightbench.history.store import HistoryStore
from nightbench.report.charts.figure import Figure
from nightbench.report.figures.of_a_run import figures_of_run
from nightbench.report.overview import MAIN
from nightbench.trend_report.trends import MetricTrend, SuiteTrend

MOST_EARLIER = 10
"""Nights of the baseline whose distribution is held against the last one's."""


@dataclass(frozen=True)
class LastNight:
    """What the last night can be explained with.

    Attributes:
        run: The run that stands for it.
        earlier: A run of each of the last nights of its baseline, oldest first.
    """

    run: StoredRun
    earlier: tuple[StoredRun, ...]

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """What explains it."""
        return figures_of_run(self.run, self.earlier)


def last_night(store: HistoryStore, trend: SuiteTrend) -> LastNight | None:
    """The last night of `trend`; None where its runs cannot be read, which the store remembers."""
    if trend.verdict is None:
        return None
    run_id = trend.verdict.measurement.run_id
    wanted = [run_id, *(trend.blocks[night][0] for night in trend.usual[-MOST_EARLIER:])]
    runs = store.whole_runs(wanted, suite=trend.suite, tier=trend.tier)
    run = next((each for each in runs if each.run_id == run_id), None)
    if run is None:
        return None
    return LastNight(run, tuple(each for each in runs if each is not run))


def main_of(trend: SuiteTrend) -> MetricTrend | None:
    """The trend of what the suite is about, else of any metric."""
    wanted = f"{MAIN[trend.suite]}.response_time.p95"
    return next(
        (each for each in trend.metrics if each.line.metric == wanted), next(iter(trend.metrics), None)
    )
