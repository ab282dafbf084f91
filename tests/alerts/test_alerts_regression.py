"""A night against earlier ones, without load: what is told of a suspect, of its repetitions and of its blocks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import outboxes
import pytest
from builders import invalidated, websocket_measurement, with_metric

from nightbench.alert_charts import AlertCharts
from nightbench.alerts.alert import alerts_of
from nightbench.history.marks import new_mark
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.settings import Settings
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.verdict import exit_code, suite_verdict

P95 = "message.response_time.p95"
TONIGHT = "20261206T031500Z-nightly-00000c"
EARLIER = 12


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(results=tmp_path / "results", cache=tmp_path / "cache", outbox=tmp_path / "outbox")


@pytest.fixture(autouse=True)
def _no_charts(monkeypatch):
    """Drawing has tests of its own, and takes a second."""
    monkeypatch.setattr(AlertCharts, "chart_of", lambda *_: None)


@pytest.fixture(scope="module")
def earlier_nights(tmp_path_factory) -> Path:
    """A dataset of twelve quiet nights."""
    folder = tmp_path_factory.mktemp("earlier")
    for number in range(EARLIER):
        quiet = websocket_measurement(number=number, median_ms=20 * (1 + 0.01 * (number % 3 - 1)))
        HistoryStore(folder).save(replace(quiet, windows=()), ())
    return folder


@pytest.fixture
def night(settings, earlier_nights) -> Night:
    shutil.copytree(earlier_nights, settings.results)
    return Night(settings, TONIGHT)


def run_of(role="night", block=1, *, factor=1.0, number=EARLIER) -> Measurement:
    measurement = websocket_measurement(number=number, median_ms=20 * factor, role=role, block=block)
    return replace(measurement, night_id=TONIGHT, run_id=f"{measurement.run_id}{role}{block}")


def told(settings) -> list[str]:
    events = outboxes.waiting(settings.outbox_folder)
    return [event["tags"]["metric"] for event in events if event["tags"]["kind"] == "regression"]


def state_of(night: Night, metric: str = P95) -> str:
    (verdict,) = night.judge("full")
    return next(line.state for line in verdict.judged.lines if line.metric == metric)


def test_a_suspect_is_no_news_and_no_failure(night, settings):
    night.record(run_of(factor=1.2))
    assert state_of(night) == "suspect"
    assert night.put_alerts() == 0
    assert night.outcome().exit_code == 0


@pytest.mark.parametrize(("factor", "state", "code"), [(1.2, "regression", 1), (1.0, "noisy", 0)])
def test_its_repetitions_decide(night, settings, factor, state, code):
    night.record(run_of(factor=1.2))
    night.judge("full")
    night.record(run_of("rerun", factor=factor))
    assert state_of(night) == state
    night.put_alerts()
    assert (P95 in told(settings)) is (state == "regression")
    assert night.outcome().exit_code == code


def test_repetitions_that_are_invalid_decide_nothing(night):
    night.record(run_of(factor=1.2))
    night.record(invalidated(run_of("rerun"), "busy"))
    assert state_of(night) == "suspect"


def test_a_regression_that_was_told_is_not_told_again_when_judged_again(night, settings):
    night.record(run_of(factor=1.2))
    night.record(run_of("rerun", factor=1.2))
    night.judge("full")
    put = night.put_alerts()
    night.judge("full")
    assert put > 0
    assert night.put_alerts() == 0


def worse_night(settings, number: int) -> Night:
    """A night on demand, later than the others, that is as bad as `TONIGHT` was."""
    night = Night(settings, f"202612{6 + number - EARLIER:02d}T031500Z-full-00000c")
    for role in ("night", "rerun"):
        night.record(replace(run_of(role, factor=1.2, number=number), night_id=night.night_id))
        night.judge("full")
    return night


def test_the_nights_after_say_nothing_until_somebody_accepts_it_and_it_is_over(settings, earlier_nights):
    shutil.copytree(earlier_nights, settings.results)
    first, second = worse_night(settings, EARLIER), worse_night(settings, EARLIER + 1)
    first.put_alerts()
    waiting = len(told(settings))
    second.put_alerts()
    assert {record.decision for record in second.outcome().alerts} == {"known"}
    assert len(told(settings)) == waiting > 0

    mark = new_mark(
        "accept",
        environment="local",
        suite="websocket",
        tier="full",
        run_id="r",
        night_id=first.night_id,
        who="ada",
        why="a new feature",
    )
    HistoryStore(settings.results).save_mark(mark)
    third = worse_night(settings, EARLIER + 2)
    third.put_alerts()
    report = third.deliver()
    assert len(told(settings)) == waiting
    assert any(P95 in text and "accepted as the new normal" in text for text in report.recovered)


def test_one_slow_block_of_three_is_no_suspect(night):
    for block, factor in ((1, 1.0), (2, 1.5), (3, 1.01)):
        night.record(run_of(block=block, factor=factor))
    assert state_of(night) == "steady"


def test_an_invalid_block_is_left_out_of_the_median(night):
    night.record(invalidated(run_of(block=1, factor=9.0), "the generator was saturated"))
    night.record(run_of(block=2))
    (verdict,) = night.judge("full")
    assert verdict.state == "met"
    assert verdict.block_notes == (
        "median of 1 of 2 blocks",
        "block 1 left out: the generator was saturated",
    )
    assert night.put_alerts() == 0


def test_the_lines_are_kept_and_flag_the_night(night, settings):
    night.record(run_of(factor=1.2))
    night.record(run_of("rerun", factor=1.2))
    night.judge("full")
    lines = HistoryStore(settings.results).lines("local").set_index("metric")
    assert lines.loc[P95, ["state", "night", "layer"]].tolist() == ["regression", TONIGHT, 2]
    later = Night(settings, "20261207T031500Z-nightly-00000d")
    later.record(replace(run_of(number=EARLIER + 1), night_id=later.night_id))
    (verdict,) = later.judge("full")
    assert [(each.nights, each.reason.partition(":")[0]) for each in verdict.judged.left_out] == [
        (1, "flagged")
    ]


def test_what_is_muted_is_shown_and_told_to_nobody(night, settings):
    mark = new_mark(
        "mute",
        environment="local",
        suite="websocket",
        tier="full",
        run_id="r",
        night_id=TONIGHT,
        who="ada",
        why="known",
        until=datetime(2100, 1, 1, tzinfo=UTC),
    )
    HistoryStore(settings.results).save_mark(mark)
    night.record(run_of(factor=1.2))
    night.record(run_of("rerun", factor=1.2))
    assert state_of(night) == "muted"
    assert night.put_alerts() == 0
    assert night.outcome().exit_code == 0


def test_a_run_of_another_environment_is_no_earlier_night(night, settings):
    elsewhere = Night(settings.model_copy(update={"environment": "staging"}), TONIGHT)
    elsewhere.record(replace(run_of(factor=1.2), environment="staging"))
    assert state_of(elsewhere) == "no baseline"


# --- what the alert says ----------------------------------------------------------------------------------


def worse(**changes) -> Line:
    line = Line("websocket", "full", P95, "regression", True, True, 0.05, layer=2, value=46.0, baseline=40.0)
    numbers = {"nights": 12, "effect": 0.15, "low": 0.1, "high": 0.2, "p": 1e-6, "p_adjusted": 3e-5}
    return replace(line, **{**numbers, **changes})


def test_a_regression_is_a_warning_with_its_numbers():
    verdict = suite_verdict([websocket_measurement()], Verdict((worse(),)))
    (alert,) = alerts_of([verdict])
    assert (alert.kind, alert.level) == ("regression", "warning")
    assert alert.fingerprint == ("regression", "websocket", "full", P95, "local")
    assert alert.title == f"full websocket: {P95} is worse than before"
    wanted = {"value": 46.0, "baseline": 40.0, "effect": 0.15, "interval": [0.1, 0.2], "nights": 12}
    assert {name: alert.context[name] for name in wanted} == wanted
    assert {alert.context[name] for name in ("p", "layer", "unit", "since")} == {3e-5, 2, "ms", None}


def test_what_the_history_found_says_since_which_night():
    verdict = suite_verdict([websocket_measurement()], Verdict((worse(layer=4, since="night-5"),)))
    (alert,) = alerts_of([verdict])
    assert alert.context["since"] == "night-5"
    assert "since night-5" in alert.text


@pytest.mark.parametrize("state", ["muted", "suspect", "noisy", "provisional", "improved", "missing"])
def test_nothing_else_is_told_or_fails(state):
    verdict = suite_verdict([websocket_measurement()], Verdict((worse(state=state),)))
    assert alerts_of([verdict]) == ()
    assert exit_code([verdict]) == 0


def test_a_regression_of_an_invalid_night_is_no_news():
    invalid = invalidated(websocket_measurement(), "busy")
    verdict = suite_verdict([invalid], Verdict((worse(),)))
    assert [alert.kind for alert in alerts_of([verdict])] == ["invalid"]


def test_a_block_that_was_cut_short_is_told_beside_what_the_others_show():
    blocks = [
        with_metric(websocket_measurement(block=1), P95, 5000),
        invalidated(websocket_measurement(block=2), "incomplete after 2 s", complete=False),
    ]
    verdict = suite_verdict(blocks)
    assert [alert.kind for alert in alerts_of([verdict])] == ["invalid", "target_missed"]
    assert alerts_of([verdict])[0].context["reasons"] == ["incomplete after 2 s"]
