"""What happened to a suite over its nights: levels that changed, epochs, releases, and what is not as ever tonight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.release_words import with_release
from nightbench.trend_report.trends import MetricTrend, SuiteTrend

NOT_AS_EVER = ("regression", "suspect", "missing", "muted", "improved", "noisy")
"""States of the last night's lines that are news, in the order of reading."""


@dataclass(frozen=True)
class Happened:
    """One thing that happened.

    Attributes:
        at: When the night began, UTC.
        metric: Which it is about; empty for all of the suite.
        what: ``changed for good``, ``epoch begins``, ``release v2.4.1`` or the state of a line.
        effect: Relative and signed; None where there is none.
        worse: Whether it is for the worse; None where nobody says so.
        release: Which release it goes with, in words, where it is known.
    """

    at: datetime
    metric: str
    what: str
    effect: float | None = None
    worse: bool | None = None
    release: str = ""


def happened(trend: SuiteTrend) -> tuple[Happened, ...]:
    """All of it, the newest first."""
    found = [*_changes(trend), *_of_the_last_night(trend), *_of_all(trend)]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def _changes(trend: SuiteTrend) -> Iterator[Happened]:
    known = {each.line.metric: each.nights for each in trend.metrics}
    for each in trend.changes:
        history = known.get(each.metric)
        began = None if history is None else _began(history, each.night)
        if history is not None and began is not None:
            yield Happened(
                began,
                each.metric,
                "changed for good",
                each.point.effect,
                each.point.worse,
                _release(history, each.night),
            )


def _of_the_last_night(trend: SuiteTrend) -> Iterator[Happened]:
    for state in NOT_AS_EVER:
        for each in trend.metrics:
            if each.line.state == state:
                effect, history = each.line.effect, each.nights
                worse = None if effect is None else (effect > 0) == each.line.higher_is_worse
                yield Happened(
                    trend.last,
                    each.line.metric,
                    state,
                    effect,
                    worse,
                    _release(history, history.nights[-1].night),
                )


def _of_all(trend: SuiteTrend) -> Iterator[Happened]:
    """Releases, and epochs; one that all metrics begin with the same night is the suite's."""
    epochs: dict[str, list[MetricTrend]] = {}
    for each in trend.metrics:
        for night in each.nights.epochs:
            epochs.setdefault(night, []).append(each)
    for night, metrics in epochs.items():
        names = [""] if len(metrics) == len(trend.metrics) else [each.line.metric for each in metrics]
        began = _began(metrics[0].nights, night)
        if began is not None:
            yield from (
                Happened(began, name, "epoch begins", release=_release(metrics[0].nights, night))
                for name in names
            )
    for history in [each.nights for each in trend.metrics][:1]:
        for begin in history.releases:
            if (began := _began(history, begin.night)) is not None:
                yield Happened(began, "", f"release {begin.release}")


def _release(history: MetricNights, night: str) -> str:
    return with_release(history, night).lstrip(",; ")


def _began(history: MetricNights, night: str) -> datetime | None:
    place = history.place(night)
    return None if place is None else history.nights[place].started_at
