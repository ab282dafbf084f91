"""A regression is told once, then now and then while it lasts; a promise that is broken every night."""

from __future__ import annotations

from dataclasses import replace

import pytest
from remembering import NOW, missed, night_id, opened, regression

from nightbench.alerts.alert import alerts_of
from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.reminders import decided, remembered

ALERT = regression()
OPEN = opened(ALERT)


def test_what_nobody_knows_is_told() -> None:
    assert decided(ALERT, None, night_id(0), 7) == "told"


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({"nights": 0}, "known"),
        ({"nights": 5}, "known"),
        ({"nights": 6}, "reminder"),
        ({"nights": 60}, "reminder"),
        ({"nights": 6, "epoch": "mark-1"}, "told"),
        ({"nights": 0, "over": "well again"}, "told"),
        ({"nights": 6, "last_night": night_id(1)}, "known"),
        ({"nights": 0, "event_id": ""}, "told"),
    ],
    ids=[
        "next night",
        "6th",
        "7th",
        "late",
        "other epoch",
        "back and worse again",
        "same night judged again",
        "its event was given up",
    ],
)
def test_what_is_known_waits_for_its_reminder(changes: dict, decision: str) -> None:
    assert decided(ALERT, replace(OPEN, **changes), night_id(1), 7) == decision


def test_what_is_no_regression_is_told_every_night() -> None:
    (alert,) = alerts_of([missed(1)])
    assert decided(alert, opened(alert), night_id(1), 7) == "told"


@pytest.mark.parametrize("reminder_nights", [1, 2, 7])
def test_a_regression_of_thirty_nights_is_told_and_reminded_of_at_its_interval(reminder_nights: int) -> None:
    entry: OpenAlert | None = None
    told = []
    for number in range(30):
        decision = decided(ALERT, entry, night_id(number), reminder_nights)
        event_id = None if decision == "known" else f"event-{number}"
        entry = remembered(ALERT, entry, decision, night_id=night_id(number), event_id=event_id, now=NOW)
        if decision != "known":
            told.append(number)
    assert told == list(range(0, 30, reminder_nights))
    assert entry is not None
    assert (entry.since_night, entry.last_night) == (night_id(0), night_id(29))
    assert entry.event_id == f"event-{told[-1]}"


def test_a_night_that_is_judged_twice_counts_once() -> None:
    entry = OPEN
    for _ in range(5):
        decision = decided(ALERT, entry, night_id(1), 7)
        entry = remembered(ALERT, entry, decision, night_id=night_id(1), event_id=None, now=NOW)
    assert entry.nights == 1


def test_a_new_epoch_begins_the_count_anew() -> None:
    alert = replace(ALERT, epoch="mark-1")
    before = replace(OPEN, nights=5)
    entry = remembered(alert, before, "told", night_id=night_id(6), event_id="new", now=NOW)
    assert (entry.nights, entry.since_night, entry.epoch) == (0, night_id(6), "mark-1")


def test_what_only_stands_in_a_roll_up_has_no_event_of_its_own() -> None:
    entry = remembered(ALERT, None, "held_back", night_id=night_id(0), event_id="roll-up", now=NOW)
    assert (entry.own, entry.event_id, entry.nights) == (False, "roll-up", 0)


def test_what_had_an_issue_and_is_now_in_a_roll_up_has_it_still() -> None:
    before = replace(OPEN, over="well again")
    entry = remembered(ALERT, before, "held_back", night_id=night_id(1), event_id="roll-up", now=NOW)
    assert (entry.own, entry.over, entry.since_night) == (True, "", night_id(1))
    assert entry.event_id == OPEN.event_id
