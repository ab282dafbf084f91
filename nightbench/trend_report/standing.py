"""Whether it is well: the state of the last night of each suite, the sentence that says so, and how old that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from nightbench.ages import STALE, age_of
from nightbench.report.promises import missed_in_words
from nightbench.report.verdict_lines import in_one_sentence
from nightbench.scrub import one_line
from nightbench.trend_report.trends import MetricTrend, SuiteTrend
from nightbench.verdict.verdict import State
from nightbench.visible import visible

Standing = Literal["missed", "regression", "invalid", "uncompared", "met"]
"""Of all suites together, the most severe first; ``uncompared``: targets met, and nothing to compare with."""

_WORDS: Mapping[Standing, str] = MappingProxyType(
    {
        "missed": "Target missed",
        "regression": "Regression",
        "invalid": "Invalid or incomplete, neither a pass nor a fail",
        "uncompared": "All targets met; nothing to compare with yet",
        "met": "All targets met, nothing worse beyond doubt",
    }
)
_NOT_COMPARED = ("no baseline", "provisional", "missing", "informs")
_NAMED = 4
"""Metrics that one sentence names."""


def name_of(trend: SuiteTrend) -> str:
    """``full websocket``."""
    return f"{trend.tier} {trend.suite}"


def state_of(trend: SuiteTrend) -> State:
    """What came of the last night; of one that cannot be read nobody knows."""
    return "invalid" if trend.verdict is None else trend.verdict.state


def reasons_of(trend: SuiteTrend) -> tuple[str, ...]:
    """What speaks against the run that stands for the last night; nothing of one that cannot be read."""
    return () if trend.verdict is None else trend.verdict.measurement.validity.reasons


def is_compared(trend: SuiteTrend) -> bool:
    """Whether a metric of the last night could be worse than a baseline."""
    return any(each.line.state not in _NOT_COMPARED for each in trend.metrics)


def recent(trends: Sequence[SuiteTrend]) -> list[SuiteTrend]:
    """Those whose last night belongs to the newest: what ran last summer does not say whether it is well."""
    newest = max(trend.last for trend in trends)
    return [trend for trend in trends if newest - trend.last <= STALE]


def standing_of(trends: Sequence[SuiteTrend], lost: Sequence[str] = ()) -> Standing:
    """Of all that is recent together, and of the suites that are `lost`: of none of their nights is anything known."""
    states: set[State] = {state_of(trend) for trend in recent(trends)}
    states |= {"invalid"} if lost else set()
    if states == {"met"}:
        return "met" if all(map(is_compared, recent(trends))) else "uncompared"
    return next(state for state in _WORDS if state in states)


def headline(trends: Sequence[SuiteTrend], lost: Sequence[str] = ()) -> str:
    """``Target missed: full websocket``; `lost` as of `standing_of`."""
    standing, known = standing_of(trends, lost), recent(trends)
    if standing == "uncompared":
        without = [name_of(trend) for trend in known if not is_compared(trend)]
        which = "" if len(without) == len(known) else f": {', '.join(without)}"
        return f"{_WORDS[standing]}{which}"
    concerned = [name_of(trend) for trend in known if state_of(trend) == standing and standing != "met"]
    concerned += [f"{name} cannot be read" for name in lost] if standing == "invalid" else []
    return f"{_WORDS[standing]}{': ' if concerned else ''}{', '.join(concerned)}"


def problems(trends: Sequence[SuiteTrend], now: datetime) -> Iterator[str]:
    """What was missed, what is invalid, what got worse and whose last night is old, a sentence each."""
    newest = max(trend.last for trend in trends)
    if now - newest > STALE:
        yield f"The last night is {age_of(now - newest)} old, of {newest.astimezone(UTC):%Y-%m-%d}"
    for trend in trends:
        place = name_of(trend)
        if trend not in recent(trends):
            yield f"{place} ran {age_of(newest - trend.last)} before the others, and counts no more"
            continue
        for target, unit in trend.missed:
            yield f"{place}: {_shown(missed_in_words(target, unit))}"
        if state_of(trend) == "invalid":
            yield from (f"{place}: {_shown(reason)}" for reason in reasons_of(trend))
            continue
        worse = [each for each in trend.metrics if each.line.state == "regression"]
        if worse:
            yield f"{place}: {_shown(_worse(worse))}"


def _worse(regressions: Sequence[MetricTrend]) -> str:
    first, *others = sorted(regressions, key=lambda each: -abs(each.line.effect or 0.0))
    said = in_one_sentence(first.line, {first.line.metric: first.nights.unit})
    named = ", ".join(each.line.metric for each in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return f"{said}; so did {named}{more}" if others else said


def _shown(words: str) -> str:
    return visible(one_line(words))
