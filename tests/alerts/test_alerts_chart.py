"""The chart that goes along with an alert: which alerts have one, and what it shows of the night's own history."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from builders import invalidated, websocket_measurement, with_metric

from nightbench import alert_charts
from nightbench.alert_charts import AlertCharts
from nightbench.alerts.alert import Alert, alerts_of
from nightbench.history.marks import new_mark
from nightbench.history.store import HistoryStore
from nightbench.metric_history import metric_nights
from nightbench.report.charts import drawing
from nightbench.tier_verdict import Earlier, earlier_nights, judge_tier, of_suite
from nightbench.verdict.policy import Policy
from nightbench.verdict.verdict import SuiteVerdict, suite_verdict

P95 = "message.response_time.p95"
EARLIER = 12
OTHER_HOST, INVALID, NO_VALUE = 1, 3, 6


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> tuple[SuiteVerdict, Earlier]:
    """A night that is worse than eleven of twelve, one of which is invalid, one elsewhere and one without value."""
    store = HistoryStore(tmp_path_factory.mktemp("earlier"))
    for number in range(EARLIER):
        run = websocket_measurement(number=number, median_ms=20 * (1 + 0.01 * (number % 3 - 1)), windows=())
        if number == INVALID:
            run = invalidated(run, "the generator was late")
        if number == OTHER_HOST:
            run = replace(run, host={**run.host, "cpu": "Another CPU"})
        if number == NO_VALUE:
            run = with_metric(run, P95, None)
        store.save(run, ())
    tonight = websocket_measurement(number=EARLIER, median_ms=2000.0, windows=())
    runs = [tonight, replace(tonight, role="rerun", run_id=f"{tonight.run_id}again")]
    earlier = earlier_nights(store, runs, Policy())
    verdict = judge_tier(earlier, runs, Policy())
    return suite_verdict(runs, of_suite(verdict, "websocket")), earlier


def alert_of(verdict: SuiteVerdict, kind: str = "target_missed", metric: str = P95) -> Alert:
    return replace(next(iter(alerts_of([verdict]))), kind=kind, metric=metric)


@pytest.fixture
def drawn(monkeypatch) -> list[dict]:
    """The specs that were drawn, without a child that draws."""
    specs: list[dict] = []
    monkeypatch.setattr(drawing, "png", lambda spec, **_: specs.append(spec) or b"picture")
    return specs


def test_a_missed_target_goes_along_with_the_picture_of_its_nights(judged):
    verdict, earlier = judged
    chart = AlertCharts().chart_of(alert_of(verdict), verdict, earlier)
    assert chart is not None
    assert (chart.filename, chart.content_type) == ("chart.png", "image/png")
    assert chart.content.startswith(b"\x89PNG")
    width, height = struct.unpack_from(">II", chart.content, 16)
    assert 1160 <= width <= 1240  # twice as fine as it is shown
    assert 600 <= height <= 900
    assert len(chart.content) < 100_000


def test_it_shows_the_nights_that_the_verdict_knew(judged):
    verdict, earlier = judged
    shown = metric_nights(P95, verdict, earlier)
    states = [each.state for each in shown.nights]
    assert len(states) == EARLIER + 1
    assert states[INVALID] == "invalid"
    assert states[OTHER_HOST] == "not compared"
    assert states[-1] == "tonight"
    assert set(states) == {"invalid", "not compared", "tonight", "night"}
    assert [place for place, each in enumerate(shown.nights) if each.value is None] == [
        OTHER_HOST,
        INVALID,
        NO_VALUE,
    ]
    assert shown.nights[-1].value == verdict.value(P95)
    assert (shown.unit, shown.target) == ("ms", (("<", 2000.0),))


def test_its_baseline_is_that_of_the_verdict_and_begins_with_the_first_night_of_it(judged):
    verdict, earlier = judged
    shown = metric_nights(P95, verdict, earlier)
    line = next(each for each in verdict.judged.lines if each.metric == P95)
    assert shown.baseline is not None
    assert (shown.baseline.centre, shown.baseline.effect) == (line.baseline, line.effect)
    compared = [each for each in shown.nights if each.state == "night" and each.value is not None]
    assert len(compared) == line.nights
    assert shown.baseline.since == compared[0].night


def test_an_epoch_is_drawn_and_what_was_before_it_is_not_compared(judged):
    verdict, earlier = judged
    fifth = websocket_measurement(number=5)
    mark = new_mark(
        "epoch",
        environment="local",
        suite="websocket",
        tier="full",
        run_id=fifth.run_id,
        night_id=fifth.night_id,
        who="somebody",
        why="another machine",
    )
    shown = metric_nights(P95, verdict, replace(earlier, marks=(*earlier.marks, mark)))
    assert shown.epochs == (fifth.night_id,)
    assert [each.state for each in shown.nights[:3]] == ["not compared"] * 3


def told_worse(judged, number: int, layer: float):
    """The nights of the P95 when the verdict on one of them found a regression by a layer; its id first."""
    verdict, earlier = judged
    night = websocket_measurement(number=number).night_id
    line = {"night": night, "suite": "websocket", "tier": "full", "metric": P95, "state": "regression"}
    line |= {"layer": layer, "since": None, "judged_at": datetime(2026, 12, 4, tzinfo=UTC)}
    lines = earlier.lines.iloc[:0].reindex([0]).assign(**line)
    return night, metric_nights(P95, verdict, replace(earlier, lines=lines)).nights


def test_what_a_verdict_called_worse_before_is_shown_as_that(judged):
    night, shown = told_worse(judged, 9, 2.0)
    assert [each.night for each in shown if each.state == "regression"] == [night]


def test_nights_that_a_later_verdict_flags_are_no_regressions_themselves(judged):
    night, shown = told_worse(judged, 10, 3.0)
    assert [each.night for each in shown if each.state == "regression"] == [night]
    flagged = [websocket_measurement(number=number).night_id for number in (8, 9)]
    assert [each.night for each in shown if each.state == "flagged"] == flagged


def test_a_metric_that_is_missing_tonight_has_its_earlier_nights(judged):
    verdict, earlier = judged
    run = verdict.measurement
    without = replace(run, metrics=tuple(metric for metric in run.metrics if metric.name != P95))
    shown = metric_nights(P95, suite_verdict([without]), earlier)
    assert shown.nights[-1].value is None
    assert "night" in [each.state for each in shown.nights]
    assert shown.shows_something


@pytest.mark.parametrize("kind", ["invalid", "tenant_leak", "failed"])
def test_an_alert_about_no_series_has_none(judged, drawn, kind):
    verdict, earlier = judged
    assert AlertCharts().chart_of(alert_of(verdict, kind), verdict, earlier) is None
    assert not drawn


def test_tonight_alone_is_no_chart(judged, drawn):
    verdict, earlier = judged
    nothing = replace(earlier, nights=earlier.nights.iloc[:0], lines=earlier.lines.iloc[:0])
    for known in (None, nothing):
        assert AlertCharts().chart_of(alert_of(verdict), verdict, known) is None
    assert AlertCharts().chart_of(alert_of(verdict, metric="no.such.metric"), verdict, earlier) is None
    assert not drawn


def test_more_than_the_first_are_told_without_one(judged, drawn, monkeypatch):
    monkeypatch.setattr(alert_charts, "MOST_CHARTS", 2)
    verdict, earlier = judged
    charts = AlertCharts()
    given = [charts.chart_of(alert_of(verdict, "regression"), verdict, earlier) for _ in range(4)]
    assert [chart is not None for chart in given] == [True, True, False, False]
    assert len(drawn) == 2


def test_when_drawing_has_taken_too_long_the_rest_is_told_without(judged, monkeypatch):
    verdict, earlier = judged
    seconds = iter([0.0, 20.0, 20.0, 31.0])
    given: list[float] = []
    monkeypatch.setattr(drawing, "png", lambda _, *, patience: given.append(patience) or b"picture")
    charts = AlertCharts(clock=lambda: next(seconds))
    drawn = [charts.chart_of(alert_of(verdict), verdict, earlier) for _ in range(3)]
    assert [chart is not None for chart in drawn] == [True, True, False]
    assert given == [30.0, 10.0]


def test_a_chart_that_cannot_be_drawn_is_none_and_no_error(judged, monkeypatch):
    verdict, earlier = judged

    def breaks(_spec, **_):
        raise RuntimeError("no library")

    monkeypatch.setattr(drawing, "png", breaks)
    assert AlertCharts().chart_of(alert_of(verdict), verdict, earlier) is None


def test_one_that_is_too_large_stays_behind(judged, monkeypatch):
    verdict, earlier = judged
    monkeypatch.setattr(drawing, "png", lambda _spec, **_: bytes(alert_charts.MOST_BYTES + 1))
    assert AlertCharts().chart_of(alert_of(verdict), verdict, earlier) is None
