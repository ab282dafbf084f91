"""The event of an alert: what the reader sees first, bounded, scrubbed, and grouped as ever."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from builders import invalidated, verdict_of, websocket_measurement
from hypothesis import given, settings
from hypothesis import strategies as st
from remembering import NOW, P95, judged, line_of, missed

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.event import event_of
from nightbench.alerts.failure import Failure
from nightbench.alerts.rollup import roll_up

RUN = Failure("full", "websocket", "local", "the-night", "gone")
(ALERT,) = alerts_of([missed()])


def event(alert: Alert = ALERT) -> dict[str, Any]:
    return event_of(alert, RUN, NOW)


def lines(alert: Alert = ALERT) -> list[str]:
    return event(alert)["message"]["formatted"].splitlines()


def test_an_event_is_complete() -> None:
    found = event()
    assert re.fullmatch(r"[0-9a-f]{32}", found["event_id"])
    assert found["level"] == "error"
    assert found["fingerprint"] == list(ALERT.fingerprint)
    assert found["environment"] == "local"
    assert found["tags"] == {
        "kind": "target_missed",
        "suite": "websocket",
        "tier": "full",
        "metric": P95,
        "run_id": "the-night",
        "night_id": "the-night",
    }
    assert found["contexts"]["benchmark"]["value"] == 5000
    assert found["release"].startswith("nightbench@")
    assert found["timestamp"] == "2026-11-24T06:00:00.000000Z"


def test_the_release_of_the_subject_is_a_tag_and_a_line_and_groups_nothing() -> None:
    of_a_release = replace(ALERT, release="1.2.3.4")
    found = event(of_a_release)
    assert found["tags"]["subject_release"] == "1.2.3.4"
    assert lines(of_a_release)[-2:] == ["release 1.2.3.4", "night the-night"]
    assert found["release"].startswith("nightbench@")
    assert found["fingerprint"] == event()["fingerprint"]
    assert of_a_release.key == ALERT.key


def test_an_alert_has_the_release_of_its_measurement() -> None:
    bad = invalidated(websocket_measurement(release="v2.4.1"), "the generator was late")
    assert [alert.release for alert in alerts_of([verdict_of(bad)])] == ["v2.4.1"]


def test_the_first_line_is_the_title_and_the_numbers_stand_below() -> None:
    title, empty, numbers, night = lines()
    assert (title, empty) == (ALERT.title, "")
    assert numbers == "5000 ms, wanted < 2000 ms; 400 samples"
    assert night == "night the-night"


def test_a_regression_says_how_much_and_how_sure() -> None:
    (alert,) = alerts_of([judged(line_of(layer=4, since="night-5", why="after a restart"))])
    assert lines(alert)[2:6] == [
        "46 ms against 40 ms: +15.0 % (+10.0 % to +20.0 %)",
        "by its history, 12 nights, p 3e-05",
        "since night-5",
        "after a restart",
    ]


def test_links_are_in_the_message_and_in_a_context() -> None:
    links = {"run": "https://prefect.example/runs/1", "report": "https://reports.example/"}
    found = event(replace(ALERT, links=links))
    assert found["contexts"]["links"] == links
    assert found["message"]["formatted"].endswith(
        "run: https://prefect.example/runs/1\nreport: https://reports.example/"
    )
    assert "links" not in event()["contexts"]


def test_no_link_holds_a_credential() -> None:
    text = json.dumps(event(replace(ALERT, links={"run": "https://ada:hunter2@host/run?token=abcdef123456"})))
    assert "hunter2" not in text
    assert "abcdef123456" not in text


def test_reasons_hold_no_secret() -> None:
    verdict = verdict_of(invalidated(websocket_measurement(), "postgresql://app:hunter2@host/db refused"))
    (alert,) = alerts_of([verdict])
    assert "hunter2" not in json.dumps(event(alert))


@pytest.mark.parametrize("amount", [20, 21, 5000])
def test_a_long_list_of_reasons_is_cut_and_counted(amount: int) -> None:
    reasons = [f"reason {number}" for number in range(amount)]
    (alert,) = alerts_of([verdict_of(invalidated(websocket_measurement(), *reasons))])
    more = [f"{amount - 20} more"] if amount > 20 else []
    assert event(alert)["contexts"]["benchmark"]["reasons"] == [*reasons[:20], *more]
    assert [line for line in lines(alert) if line.startswith("- ")][20:] == [f"- {each}" for each in more]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.just("x" * 5000),
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=8), inner, max_size=60),
    max_leaves=60,
)


@settings(max_examples=30)
@given(values, st.text(max_size=50) | st.just("y" * 20_000))
def test_whatever_stands_in_it_an_event_is_json_and_bounded(value: Any, text: str) -> None:
    alert = replace(ALERT, context={"value": value, "again": [value] * 100}, text=text)
    found = event(alert)
    assert len(json.dumps(found, allow_nan=False)) < 900_000
    assert len(found["message"]["formatted"]) <= 8000
    assert found["fingerprint"] == list(ALERT.fingerprint)


def test_a_structure_that_never_ends_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert len(json.dumps(event(replace(ALERT, context={"endless": endless})))) < 10_000


def test_each_event_has_an_id_of_its_own() -> None:
    assert event()["event_id"] != event()["event_id"]


def test_half_a_secret_is_not_left_where_a_text_is_cut() -> None:
    dsn = "postgresql://owner:hunter2secret@db.internal/app"
    for before in (100, 180, 970, 7930):
        told = replace(
            ALERT,
            text=f"{'x' * before} {dsn}",
            context={"why": f"{'x' * before} {dsn}"},
            metric=f"{'x' * before} {dsn}",
        )
        assert "hunter2" not in json.dumps([event(told), event(roll_up([told]))])
