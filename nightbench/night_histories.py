"""Which metrics of a night are worth a chart, and their nights: kept when a tier is judged, while the memory has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightbench.debugging import show_traceback
from nightbench.metric_history import several_metric_nights
from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.overview import MAIN
from nightbench.report.promises import is_certain
from nightbench.tier_verdict import Earlier
from nightbench.verdict.verdict import SuiteVerdict

MOST_OF_A_SUITE = 4
"""Charts; what went wrong comes first."""

_MISSED, _REGRESSION, _SUSPECT, _MAIN = range(4)


class NightHistories:
    """The nights of the metrics that are worth a chart, by suite and tier."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[tuple[int, MetricNights]]] = {}

    def note(self, verdicts: Iterable[SuiteVerdict], earlier: Earlier) -> None:
        """Keep what `verdicts`, which were held against `earlier`, make worth a chart; it never raises."""
        for verdict in verdicts:
            place = (verdict.measurement.tier, verdict.measurement.suite)
            try:
                self._known[place] = list(_histories(verdict, earlier))
            except Exception as error:  # noqa: BLE001  # whatever it is, a verdict is one without charts
                show_traceback(error)

    def chosen(self, most: int) -> tuple[MetricNights, ...]:
        """At most so many, the most severe first, then in the order of the suites."""
        ranked = [(rank, history) for known in self._known.values() for rank, history in known]
        return tuple(history for _, history in sorted(ranked, key=lambda each: each[0])[:most])


def _histories(verdict: SuiteVerdict, earlier: Earlier) -> Iterator[tuple[int, MetricNights]]:
    ranks: dict[str, int] = {}
    for rank, metric in _worth_a_chart(verdict):
        ranks.setdefault(metric, rank)
    chosen = list(ranks)[:MOST_OF_A_SUITE]
    for history in several_metric_nights(chosen, verdict, earlier):
        if history.shows_something:
            yield ranks[history.metric], history


def _worth_a_chart(verdict: SuiteVerdict) -> Iterator[tuple[int, str]]:
    """Metrics with their rank; one may come twice."""
    main = MAIN[verdict.measurement.suite]
    suspects = () if verdict.judged is None else verdict.judged.suspects
    yield from ((_MISSED, target.metric) for target in verdict.missed if is_certain(verdict, target))
    yield from ((_REGRESSION, line.metric) for line in verdict.regressions)
    yield from ((_SUSPECT, line.metric) for line in suspects)
    yield _MAIN, f"{main}.response_time.p95"
    yield _MAIN + 1, f"{main}.throughput"
