"""Whether it is well, as the head of the report says: never better than what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import START, database_measurement, invalidated, verdict_of, websocket_measurement
from every_trend import every_trend

from nightbench.history.marks import new_mark
from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report.happened import happened
from nightbench.trend_report.standing import headline, problems, standing_of, state_of
from nightbench.trend_report.suite_report import suite_report

NIGHTS = 16


def saved(folder, *runs) -> HistoryStore:
    store = HistoryStore(folder)
    for run in runs:
        store.save(run, verdict_of(run).targets)
    return store


def steady(amount: int = NIGHTS):
    return [
        websocket_measurement(number=number, median_ms=20 * (1 + 0.01 * (number % 3 - 1)))
        for number in range(amount)
    ]


def worse(number: int = NIGHTS):
    return websocket_measurement(number=number, median_ms=32.0)


def said(store: HistoryStore, kind: str, number: int, **more):
    run = websocket_measurement(number=number)
    about = {"environment": "local", "suite": "websocket", "tier": "full"}
    ids = {"run_id": run.run_id, "night_id": run.night_id}
    store.save_mark(new_mark(kind, **about, **ids, who="ann", why="slower by design", **more))


def test_a_steady_night_is_well(tmp_path):
    trends = every_trend(saved(tmp_path, *steady()))
    assert headline(trends) == "All targets met, nothing worse beyond doubt"
    assert list(problems(trends, trends[0].last)) == []


def test_without_a_baseline_nothing_is_said_to_be_as_ever(tmp_path):
    trends = every_trend(saved(tmp_path, *steady(2)))
    assert standing_of(trends) == "uncompared"
    assert headline(trends) == "All targets met; nothing to compare with yet"


def test_a_suite_without_a_baseline_is_named_beside_one_that_has_it(tmp_path):
    new = database_measurement(number=NIGHTS - 1)
    trends = every_trend(saved(tmp_path, *steady(), new))
    assert headline(trends) == "All targets met; nothing to compare with yet: full database"


def test_what_a_repetition_confirmed_is_a_regression(tmp_path):
    again = replace(worse(), role="rerun", run_id=f"{worse().run_id}again")
    trends = every_trend(saved(tmp_path, *steady(), worse(), again))
    assert headline(trends) == "Regression: full websocket"
    (sentence,) = problems(trends, trends[0].last)
    assert sentence.startswith("full websocket: message.")
    assert "got worse" in sentence
    assert "so did" in sentence


def test_what_nothing_has_confirmed_is_a_suspect(tmp_path):
    trends = every_trend(saved(tmp_path, *steady(), worse()))
    assert state_of(trends[0]) == "met"
    assert "suspect" in {each.line.state for each in trends[0].metrics}


def test_a_last_night_that_somebody_took_back_is_invalid(tmp_path):
    store = saved(tmp_path, *steady())
    said(store, "invalid", NIGHTS - 1)
    assert headline(every_trend(store)).startswith("Invalid or incomplete")


def test_a_night_that_was_taken_back_missed_nothing_and_says_who_took_it_back(tmp_path):
    missed = websocket_measurement(number=NIGHTS, median_ms=5_000.0)
    store = saved(tmp_path, *steady(), missed)
    (before,) = every_trend(store)
    assert [target.metric for target, _ in before.missed] == ["message.response_time.p95"]
    said(store, "invalid", NIGHTS)
    (trend,) = every_trend(store)
    assert trend.missed == ()
    (sentence,) = problems([trend], trend.last)
    assert sentence == "full websocket: said to be invalid by ann: slower by design"


def test_an_invalid_last_night_says_why(tmp_path):
    invalid = invalidated(websocket_measurement(number=NIGHTS), "the generator was late")
    store = saved(tmp_path, *steady(), invalid)
    (trend,) = every_trend(store)
    assert list(problems([trend], trend.last)) == ["full websocket: the generator was late"]
    found = suite_report(load({"results": store.root}), "full", "websocket", 90)
    assert [each.reasons for each in found.invalid] == [("the generator was late",)]


def test_an_old_night_is_said_to_be_old(tmp_path):
    trends = every_trend(saved(tmp_path, *steady()))
    (sentence,) = problems(trends, trends[0].last + timedelta(days=80))
    assert sentence == f"The last night is 80 days old, of {START + timedelta(days=NIGHTS - 1):%Y-%m-%d}"


def test_what_ran_long_before_the_others_does_not_decide(tmp_path):
    missed = invalidated(database_measurement(number=0), "the generator was late")
    trends = every_trend(saved(tmp_path, *steady(), missed))
    assert standing_of(trends) == "met"
    (sentence,) = problems(trends, trends[0].last)
    assert sentence == "full database ran 15 days before the others, and counts no more"


@pytest.mark.parametrize(
    ("kind", "more", "what"),
    [
        ("accept", {"metrics": ["message.response_time.p95"]}, "accepted"),
        ("epoch", {}, "epoch begins"),
        ("mute", {"until": datetime(2027, 1, 1, tzinfo=UTC)}, "muted"),
    ],
)
def test_what_people_said_is_told_with_who_and_why(tmp_path, kind, more, what):
    store = saved(tmp_path, *steady())
    said(store, kind, 4, **more)
    (trend,) = every_trend(store)
    (told,) = (each for each in happened(trend) if each.what == what)
    assert told.at == START + timedelta(days=4)
    assert told.why == "ann: slower by design"


def test_the_last_night_is_held_against_nights_that_nobody_spoke_ill_of(tmp_path):
    store = saved(tmp_path, *steady(), worse())
    said(store, "invalid", 3)
    (trend,) = every_trend(store)
    nights = [run.night_id for run in steady()]
    assert list(trend.usual) == [night for night in nights if night != nights[3]]
