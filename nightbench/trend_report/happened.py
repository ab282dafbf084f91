"""What happened to a suite over its nights: levels that changed, what people said, and what is not as ever tonight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.listing import SAID
from nightbench.report.release_words import with_release
from nightbench.trend_report.order import NOT_AS_EVER
from nightbench.trend_report.trends import SuiteTrend


@dataclass(frozen=True)
class Happened:
    """One thing that happened.

    Attributes:
        at: When the night began, UTC.
        metric: Which it is about; empty for all of the suite.
        what: ``lasting change``, what somebody said (``accepted``) or the state of a line.
        effect: Relative and signed; None where there is none.
        worse: Whether it is for the worse; None where nobody says so.
        why: Which release it goes with, or who said so and why, in words; may be empty.
    """

    at: datetime
    metric: str
    what: str
    effect: float | None = None
    worse: bool | None = None
    why: str = ""


def happened(trend: SuiteTrend) -> tuple[Happened, ...]:
    """All of it, the newest first."""
    found = [*_changes(trend), *_of_the_last_night(trend), *_of_people(trend)]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def releases(trend: SuiteTrend) -> tuple[tuple[datetime, str], ...]:
    """When each release of the subject was first measured, the newest first."""
    history = next((each.nights for each in trend.metrics), None)
    began = (
        () if history is None else ((_began(history, each.night), each.release) for each in history.releases)
    )
    return tuple(sorted(((at, release) for at, release in began if at is not None), reverse=True))


def _changes(trend: SuiteTrend) -> Iterator[Happened]:
    known = {each.line.metric: each.nights for each in trend.metrics}
    for each in trend.changes:
        history = known.get(each.metric)
        began = None if history is None else _began(history, each.night)
        if history is not None and began is not None:
            yield Happened(
                began,
                each.metric,
                "lasting change",
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


def _of_people(trend: SuiteTrend) -> Iterator[Happened]:
    """What people said."""
    history = next((each.nights for each in trend.metrics), None)
    if history is None:
        return
    for mark in trend.marks:
        if mark.kind in SAID and (began := _began(history, mark.night_id)) is not None:
            for metric in mark.metrics or ("",):
                yield Happened(began, metric, SAID[mark.kind], why=f"{mark.who}: {mark.why}")


def _release(history: MetricNights, night: str) -> str:
    return with_release(history, night).lstrip(",; ")


def _began(history: MetricNights, night: str) -> datetime | None:
    place = history.place(night)
    return None if place is None else history.nights[place].started_at
