"""The alerts of a night on their way into the outbox: nothing twice, nothing lost, the most severe first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from outboxes import charts, titles, waiting
from remembering import NOW, leaking, missed, night_id, regression

from nightbench.alerts.alert import LEVELS, Alert, alerts_of
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.state import OpenAlerts
from nightbench.alerts.telling import Telling
from nightbench.errors import MeasurementError

(LEAK,) = alerts_of([leaking()])
ROLL_UP = "more alerts than are told one by one"


def telling(folder: Path, *, most: int = 3, reminder_nights: int = 7) -> Telling:
    return Telling(
        Outbox(folder), OpenAlerts(folder), most=most, reminder_nights=reminder_nights, clock=lambda: NOW
    )


def run_of(number: int) -> Failure:
    return Failure("full", "websocket", "local", night_id(number), "gone")


def some(amount: int, first: int = 0, kind: str = "regression") -> list[Alert]:
    """Alerts of one kind, each of a metric of its own."""
    alerts = []
    for number in range(first, first + amount):
        alert = regression(metric=f"m{number}")
        title = f"{kind} of m{number}"
        alerts.append(replace(alert, kind=kind, level=LEVELS[kind], title=title))
    return alerts


def find(of: Telling, alerts: Sequence[Alert], number: int = 0) -> None:
    of.find([(alert, run_of(number)) for alert in alerts])


def decisions(of: Telling) -> dict[str, str]:
    return {record.title: record.decision for record in of.records}


def test_what_fits_is_told_one_by_one(tmp_path: Path) -> None:
    night = telling(tmp_path)
    find(night, some(3))
    assert night.put() == 3
    assert titles(tmp_path) == [alert.title for alert in some(3)]
    assert night.put() == 0


def test_what_is_too_much_is_one_roll_up(tmp_path: Path) -> None:
    night = telling(tmp_path)
    find(night, some(5))
    assert night.put() == 5
    assert titles(tmp_path) == [*(alert.title for alert in some(3)), ROLL_UP]
    text = waiting(tmp_path)[-1]["message"]["formatted"]
    assert all(alert.title in text for alert in some(2, first=3))
    assert not any(alert.title in text for alert in some(3))
    assert list(decisions(night).values()) == ["told"] * 3 + ["held_back"] * 2


def test_a_roll_up_grows_with_the_tiers_of_a_night(tmp_path: Path) -> None:
    night = telling(tmp_path)
    for tier in range(4):
        find(night, some(2, first=2 * tier))
        assert night.put() == 2
        assert night.put() == 0
    assert titles(tmp_path).count(ROLL_UP) == 1
    assert len(waiting(tmp_path)) == 4
    text = next(e for e in waiting(tmp_path) if e["tags"]["kind"] == "roll_up")["message"]["formatted"]
    assert [alert.title in text for alert in some(8)] == [False] * 3 + [True] * 5


def test_what_is_more_severe_takes_the_place_of_what_is_less_so(tmp_path: Path) -> None:
    night = telling(tmp_path)
    find(night, some(3))
    night.put()
    find(night, [LEAK, *some(1, first=9, kind="target_missed")])
    assert night.put() == 2
    assert sorted(titles(tmp_path)) == sorted(
        ["regression of m0", LEAK.title, "target_missed of m9", ROLL_UP]
    )
    assert decisions(night) == {
        "regression of m0": "told",
        "regression of m1": "held_back",
        "regression of m2": "held_back",
        LEAK.title: "told",
        "target_missed of m9": "told",
    }


def test_what_somebody_has_delivered_stays_told_and_counts(tmp_path: Path) -> None:
    night = telling(tmp_path)
    find(night, some(4))
    night.put()
    for path in Outbox(tmp_path).pending():
        path.unlink()
    find(night, [LEAK])
    assert night.put() == 1
    assert titles(tmp_path) == [ROLL_UP]
    text = waiting(tmp_path)[0]["message"]["formatted"]
    assert LEAK.title in text
    assert "regression of" not in text


def test_an_alert_that_cannot_be_put_is_put_later_and_only_then_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = telling(tmp_path)
    find(night, some(5))

    def full(*_: object) -> Path:
        raise MeasurementError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "put", full)
        with pytest.raises(MeasurementError, match="no space left"):
            night.put()
    assert OpenAlerts(tmp_path).read().entries == ()
    assert night.put() == 5
    assert len(waiting(tmp_path)) == 4
    assert len(OpenAlerts(tmp_path).read().entries) == 6


def test_the_nights_after_know_what_was_told(tmp_path: Path) -> None:
    told = []
    for number in range(15):
        night = telling(tmp_path)
        find(night, some(1), number)
        night.put()
        told.append(decisions(night)["regression of m0"])
    assert told == ["told", *["known"] * 6, "reminder", *["known"] * 6, "reminder"]
    assert len(waiting(tmp_path)) == 3
    assert {record.event_id for record in night.records} == {waiting(tmp_path)[-1]["event_id"]}


def test_a_name_that_the_scrubber_changes_is_known_all_the_same(tmp_path: Path) -> None:
    odd = regression(metric="query[ada@example.com].wait.p95")
    for number in range(2):
        night = telling(tmp_path)
        find(night, [odd], number)
        night.put()
    assert [record.decision for record in night.records] == ["known"]
    assert "ada@example.com" not in OpenAlerts(tmp_path).file.read_text()


def test_what_is_known_needs_no_place_among_the_ten(tmp_path: Path) -> None:
    for number in range(2):
        night = telling(tmp_path)
        find(night, [*some(3), *some(3, first=3 if number else 0)], number)
        night.put()
    assert titles(tmp_path) == [alert.title for alert in some(6)]


def test_a_night_that_could_not_remember_tells_again(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    for number in range(2):
        night = telling(tmp_path)
        find(night, some(1), number)
        assert night.put() == 1
        assert "open.json" in night.problem
    assert len(waiting(tmp_path)) == 2


def test_failures_of_one_place_are_each_told_and_one_issue(tmp_path: Path) -> None:
    night = telling(tmp_path)
    failures = [failure_alert(Failure("full", None, "local", night_id(0), reason)) for reason in "aab"]
    find(night, failures)
    assert night.put() == 2
    assert len({tuple(event["fingerprint"]) for event in waiting(tmp_path)}) == 1


def test_two_nights_at_once_tell_each_what_is_theirs(tmp_path: Path) -> None:
    one, other = telling(tmp_path), telling(tmp_path)
    find(one, some(1))
    find(other, some(1, first=5))
    one.put()
    other.put()
    assert {entry.metric for entry in OpenAlerts(tmp_path).read().entries} == {"m0", "m5"}


def test_a_chart_goes_along_with_what_is_already_on_the_disk(tmp_path: Path) -> None:
    night = telling(tmp_path, most=2)
    find(night, some(3))
    on_the_disk: list[list[str]] = []

    def chart_of(alert: Alert) -> list[Attachment]:
        on_the_disk.append(titles(tmp_path))
        return [Attachment("chart.png", "image/png", alert.metric.encode())]

    night.put(chart_of)
    night.put(chart_of)
    assert len(on_the_disk) == 2
    assert all(len(told) == 3 for told in on_the_disk)
    assert {title: charts(tmp_path)[title] for title in titles(tmp_path)} == {
        "regression of m0": b"m0",
        "regression of m1": b"m1",
        ROLL_UP: None,
    }
    assert len({event["event_id"] for event in waiting(tmp_path)}) == len(waiting(tmp_path)) == 3
    assert {record.event_id for record in night.records} == {e["event_id"] for e in waiting(tmp_path)}


def test_what_was_delivered_while_its_chart_was_drawn_is_not_told_again(tmp_path: Path) -> None:
    night = telling(tmp_path)
    find(night, some(1))

    def delivered_meanwhile(_: Alert) -> list[Attachment]:
        for path in Outbox(tmp_path).pending():
            path.unlink()
        return [Attachment("chart.png", "image/png", b"png")]

    assert night.put(delivered_meanwhile) == 1
    assert waiting(tmp_path) == []


def test_a_promise_that_is_broken_is_told_every_night(tmp_path: Path) -> None:
    for number in range(7):
        night = telling(tmp_path)
        find(night, alerts_of([missed(number)]), number)
        night.put()
    assert len(waiting(tmp_path)) == 7
    (entry,) = OpenAlerts(tmp_path).read().entries
    assert (entry.since_night, entry.last_night) == (night_id(0), night_id(6))
