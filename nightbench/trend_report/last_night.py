"""The last night of a trend, whole: the run that stands for it, and those of its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightbench.errors import NightbenchError
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

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What explains it; they are made anew whenever they are asked for."""
        return figures_of_run(self.run, self.earlier)


def last_night(store: HistoryStore, trend: SuiteTrend) -> LastNight | None:
    """The last night of `trend`; None where its runs cannot be read, which the store remembers."""
    if trend.verdict is None:
        return None
    found = whole(store, trend, [trend.verdict.measurement.run_id])
    if not found:
        return None
    main = main_of(trend)
    usual = [] if main is None else [each.night for each in main.nights.nights if each.state == "night"]
    earlier = whole(store, trend, [trend.blocks[night][0] for night in usual[-MOST_EARLIER:]])
    return LastNight(found[0], tuple(earlier))


def main_of(trend: SuiteTrend) -> MetricTrend | None:
    """The trend of what the suite is about, else of any metric."""
    wanted = f"{MAIN[trend.suite]}.response_time.p95"
    return next(
        (each for each in trend.metrics if each.line.metric == wanted), next(iter(trend.metrics), None)
    )


def whole(store: HistoryStore, trend: SuiteTrend, run_ids: Sequence[str]) -> list[StoredRun]:
    """Some runs of a suite; none where one cannot be read."""
    try:
        return store.whole_runs(run_ids, suite=trend.suite, tier=trend.tier)
    except NightbenchError:
        return []
