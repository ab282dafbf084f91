"""The trends of the history: what changed for good, where the last night stands, and a chart for each metric that gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import database_measurement, verdict_of, websocket_measurement
from every_trend import every_trend

from nightbench.history.store import HistoryStore
from nightbench.trend_report.markdown_pages import SuitePart, trend_pages

NIGHTS = 24
CHANGED = 12
P95 = "message.response_time.p95"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two dozen nights, in the middle of which messages became half as slow again; the database is as ever."""
    store = HistoryStore(tmp_path_factory.mktemp("trends"))
    for number in range(NIGHTS):
        wobble = 1 + 0.01 * (number % 3 - 1)
        median = (30 if number >= CHANGED else 20) * wobble
        websocket = websocket_measurement(number=number - NIGHTS, median_ms=median)
        for run in (websocket, database_measurement(number=number - NIGHTS, median_ms=4 * wobble)):
            store.save(run, verdict_of(run).targets)
    return store


@pytest.fixture(scope="module")
def trends(store):
    return every_trend(store)


@pytest.fixture(scope="module")
def pages(trends):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightbench.trend_report.markdown_pages.spec_of", lambda history, most: history.metric)
        patch.setattr(
            "nightbench.report.charts.pictures.svgs",
            lambda metrics, patience: [f"<svg>{metric}</svg>" for metric in metrics],
        )
        return {
            page.key: page for page in trend_pages([SuitePart(each) for each in trends], "local", "results")
        }


def test_each_suite_that_has_nights_has_a_trend_of_the_metrics_that_gate(trends):
    assert [(each.tier, each.suite, each.nights) for each in trends] == [
        ("full", "websocket", NIGHTS),
        ("full", "database", NIGHTS),
    ]
    metrics = [each.line.metric for each in trends[0].metrics]
    assert P95 in metrics
    assert not [metric for metric in metrics if metric.startswith("generator.")]


def test_a_metric_has_its_nights_its_target_and_what_changed(trends):
    (p95,) = (each for each in trends[0].metrics if each.line.metric == P95)
    assert len(p95.nights.nights) == NIGHTS
    assert (p95.nights.unit, p95.nights.target) == ("ms", (("<", 2000.0),))
    assert p95.nights.nights[-1].state == "tonight"
    assert p95.nights.nights[-1].value == pytest.approx(p95.line.value)
    (change,) = p95.nights.changes
    assert p95.nights.place(change.night) == CHANGED
    assert change.effect == pytest.approx(0.5, abs=0.05)


def test_fewer_nights_are_looked_at_when_fewer_are_asked_for(store):
    (trend,) = every_trend(store, nights=7, suites=("websocket",))
    assert trend.nights == 7
    assert not trend.judged.changes


@pytest.fixture(scope="module")
def first_day(tmp_path_factory):
    """The page of two nights of one day, the second of which missed a target."""
    store = HistoryStore(tmp_path_factory.mktemp("first day"))
    for hours, median in ((0, 20), (9, 3000)):
        run = websocket_measurement(median_ms=median, night_id=f"night{hours}")
        run = replace(run, run_id=f"run{hours}", started_at=run.started_at + timedelta(hours=hours))
        store.save(run, verdict_of(run).targets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "nightbench.report.charts.pictures.svgs", lambda specs, patience: ["<svg/>" for _ in specs]
        )
        page, of_suite = trend_pages(
            tuple(SuitePart(each) for each in every_trend(store, nights=9)),
            "local",
            "results",
        )
    return page, of_suite


def test_what_the_last_night_missed_is_told_though_nothing_could_be_compared(first_day):
    page, _ = first_day
    assert r"full websocket, last night: message.response\_time.p95 \< 2,000 ms missed: " in page.text
    assert "- full websocket: no baseline yet: 1 comparable night, 5 make one; targets only" in page.text
    assert "is as ever" not in page.text


def test_nights_of_one_day_have_their_times(first_day):
    page, _ = first_day
    assert page.title == "Trend of 2 nights, 2026-11-24 03:15 to 12:15 UTC in local"


def test_below_the_nights_that_make_one_there_is_no_baseline(first_day):
    _, of_suite = first_day
    (row,) = (line for line in of_suite.text.splitlines() if line.startswith(f"| `{P95}` |"))
    assert row.endswith("| – | – |")


def test_another_environment_has_no_nights(store):
    assert not every_trend(store, "elsewhere")


def test_the_leading_page_tells_what_changed_and_leads_to_the_others(pages):
    leading = pages["nightbench-trend"]
    assert leading.title == "Trend of 24 nights, 2026-10-31 to 2026-11-23 in local"
    assert f"full websocket: `{P95}` changed +5" in leading.text
    assert "with the night of 2026-11-12" in leading.text
    assert "`nightbench-trend-full-database`" in leading.text


def test_the_page_of_a_suite_has_every_metric_and_every_chart(pages, trends):
    text = pages["nightbench-trend-full-websocket"].text
    for each in trends[0].metrics:
        assert f"| `{each.line.metric}` |" in text
    drawn = [each for each in trends[0].metrics if each.nights.shows_something]
    assert text.count("data:image/svg+xml") == len(drawn)


def test_without_history_it_says_so_and_what_to_do():
    (page,) = trend_pages((), "local", "results")
    assert page.key == "nightbench-trend"
    assert "No history yet" in page.title
    assert "`nightbench run quick`" in page.text
