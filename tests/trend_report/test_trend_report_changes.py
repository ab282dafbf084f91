"""Changes that are older than what a verdict looks at, and what happened to a suite as a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nightbench.report.charts.metric_nights import MetricNight, MetricNights
from nightbench.trend_report.older_changes import older_changes, with_changes
from nightbench.verdict.policy import Policy

START = datetime(2026, 1, 1, 3, 15, tzinfo=UTC)
LENGTH = 200
POLICY = Policy()


def history(
    changed_at: int, *, metric: str = "message.response_time.p95", state: str = "night", step: float = 1.5
):
    """Nights with a wobble, and a step."""
    nights = [
        MetricNight(
            f"night{number:03}",
            START + timedelta(days=number),
            (step if number >= changed_at else 1.0) * (20 + 0.2 * (number % 5 - 2)),
            "tonight" if number == LENGTH - 1 else state,
        )
        for number in range(LENGTH)
    ]
    return MetricNights("websocket", "full", "local", metric, "ms", tuple(nights))


def test_a_change_before_the_judged_nights_is_found_with_its_night_and_size():
    (change,) = older_changes([history(60)], POLICY)
    assert (change.night, change.age) == ("night060", LENGTH - 61)
    assert change.point.effect == pytest.approx(0.5, abs=0.02)
    assert change.point.worse


def test_what_got_less_of_a_rate_is_worse():
    (change,) = older_changes([history(60, metric="message.throughput", step=0.7)], POLICY)
    assert change.point.worse


def test_a_change_in_the_judged_nights_is_the_verdicts():
    assert older_changes([history(LENGTH - POLICY.change_nights // 2)], POLICY) == ()


def test_nights_that_cannot_be_compared_are_no_series():
    assert older_changes([history(60, state="not compared")], POLICY) == ()


def test_nothing_is_searched_in_no_more_nights_than_are_judged():
    short = history(60).last(POLICY.change_nights)
    assert older_changes([short], POLICY) == ()
    assert older_changes([], POLICY) == ()


def test_what_began_together_has_one_number_and_none_of_the_verdicts():
    histories = [
        history(60),
        history(61, metric="message.response_time.p50"),
        history(100, metric="connection.time.p50"),
    ]
    groups = {each.metric: each.group for each in older_changes(histories, POLICY)}
    assert groups["message.response_time.p95"] == groups["message.response_time.p50"] == -2
    assert groups["connection.time.p50"] == -1


def test_the_chart_of_a_metric_has_its_own_changes_alone():
    first, second = history(60), history(100, metric="message.response_time.p50")
    older = older_changes([first, second], POLICY)
    assert [each.night for each in with_changes(first, older).changes] == ["night060"]
    assert [each.night for each in with_changes(second, older).changes] == ["night100"]
