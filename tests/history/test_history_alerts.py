"""The table ``alerts``: what was told of a night, and what became of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightbench import alert_rows as module
from nightbench.alert_rows import alert_rows, rows_waiting, save_alert_rows
from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.delivery_report import DeliveryReport, EventState
from nightbench.alerts.failure import Failure
from nightbench.history.schema import ALERTS
from nightbench.history.store import HistoryStore
from nightbench.night_alerts import NightAlerts
from nightbench.settings import Settings

AT = datetime(2026, 11, 27, 3, 15, tzinfo=UTC)


def record(metric: str, decision: str = "told", event_id: str | None = "e1", **changes: str) -> AlertRecord:
    about = {"night_id": "n1", "run_id": "r1", "environment": "local", "kind": "regression"}
    place = {"suite": "database", "tier": "full", "level": "warning", "title": f"full database: {metric}"}
    return AlertRecord(
        **{**about, **place, **changes}, metric=metric, decision=decision, event_id=event_id, at=AT
    )


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "results")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(results=tmp_path / "results")


def states(store: HistoryStore, night: str | None = None) -> list[tuple[str, str | None]]:
    found = store.alerts("local", night=night)
    return list(zip(found["metric"], found["state"], strict=True))


def test_the_last_word_on_each_alert_counts_and_the_order_stays(store: HistoryStore) -> None:
    first = [{**asdict(record(metric, event_id=metric)), "state": "undelivered"} for metric in "cab"]
    store.save_alerts(first, AT)
    store.save_alerts([{**first[1], "state": "delivered"}], AT + timedelta(days=3))
    assert states(store) == [("c", "undelivered"), ("a", "delivered"), ("b", "undelivered")]
    assert store.unreadable == []


def test_no_alert_is_no_file(store: HistoryStore) -> None:
    store.save_alerts([])
    assert store.alerts().empty
    assert not Path(store.root).exists()


def test_a_night_and_its_environment_are_found(store: HistoryStore) -> None:
    store.save_alerts([asdict(record("a")), asdict(record("b", night_id="n2"))])
    store.save_alerts([asdict(record("c", environment="staging"))])
    assert [metric for metric, _ in states(store, "n2")] == ["b"]
    assert set(store.alerts()["metric"]) == {"a", "b", "c"}


def test_the_columns_are_those_of_the_records_and_of_the_delivery() -> None:
    (row,) = alert_rows([record("a")], DeliveryReport())
    assert {*row, "schema_version"} == set(ALERTS.schema.names)


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("told", "rejected"),
        ("reminder", "rejected"),
        ("held_back", "rejected"),
        ("known", None),
        ("recovered", None),
    ],
)
def test_what_was_posted_that_night_has_the_state_of_its_event(decision: str, state: str | None) -> None:
    report = DeliveryReport.of([EventState("e1", "rejected", "host refused it (HTTP 403)")])
    (row,) = alert_rows([record("a", decision)], report)
    assert row["state"] == state
    assert ("HTTP 403" in row["reason"]) == (state is not None)


def test_what_a_later_night_delivers_is_written_into_the_record_of_the_earlier_one(
    store: HistoryStore, settings: Settings
) -> None:
    now = datetime.now(UTC)
    down = DeliveryReport.of(EventState(each, "undelivered", "down") for each in ("e1", "e2"))
    save_alert_rows(settings, store, [record("a"), record("b", "held_back", "e2")], down)
    up = DeliveryReport.of([EventState("e1", "delivered"), EventState("e3", "delivered")])
    save_alert_rows(settings, store, [record("c", event_id="e3", night_id="n2")], up)
    assert states(store, "n1") == [("a", "delivered"), ("b", "undelivered")]
    assert states(store, "n2") == [("c", "delivered")]
    assert store.alerts(night="n1")["at"].max() >= now
    assert set(store.alerts(night="n1")["decision"]) == {"told", "held_back"}


def test_what_is_told_tonight_of_an_alert_of_earlier_nights_does_not_hide_what_became_of_that(
    store: HistoryStore, settings: Settings
) -> None:
    down = DeliveryReport.of([EventState("e1", "undelivered", "down")])
    save_alert_rows(settings, store, [record("a")], down)
    up = DeliveryReport.of([EventState("e1", "delivered")])
    later = [record("a", "known", night_id="n2"), record("a", "recovered", night_id="n3")]
    save_alert_rows(settings, store, later, up)
    assert states(store) == [("a", "delivered"), ("a", None), ("a", None)]


@pytest.mark.parametrize(
    ("written", "now"),
    [
        (datetime(2026, 10, 31, 3, tzinfo=UTC), datetime(2026, 12, 1, 3, tzinfo=UTC)),
        (datetime(2026, 1, 31, 3, tzinfo=UTC), datetime(2026, 12, 1, 3, tzinfo=UTC)),
    ],
)
def test_what_is_dropped_by_age_is_found_in_an_earlier_month(
    store: HistoryStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    written: datetime,
    now: datetime,
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return now

    store.save_alerts([{**asdict(record("a")), "state": "undelivered"}], written)
    monkeypatch.setattr(module, "datetime", Clock)
    save_alert_rows(settings, store, [], DeliveryReport.of([EventState("e1", "dropped", "too old")]))
    assert states(store) == [("a", "dropped")]


def killed_before_it_delivered(settings: Settings) -> NightAlerts:
    alerts = NightAlerts(settings, "n1")
    alerts.find((), [Failure("full", "database", "local", "n1", "gone, password=hunter2")])
    alerts.put()
    return alerts


def test_a_later_night_writes_the_row_of_one_that_was_killed(store: HistoryStore, settings: Settings) -> None:
    killed_before_it_delivered(settings)
    for number in (2, 3):
        later = NightAlerts(settings, f"n{number}")
        save_alert_rows(settings, store, later.records, later.deliver(), waited=later.waited)
    (row,) = store.alerts().to_dict("records")
    about = {name: row[name] for name in ("night_id", "run_id", "environment", "kind", "suite", "tier")}
    assert list(about.values()) == ["n1", "n1", "local", "failed", "database", "full"]
    assert (row["metric"], row["level"], row["title"]) == ("run", "error", "full database: failed")
    assert (row["decision"], row["state"], row["reason"]) == ("told", "undelivered", "no Sentry DSN is set")


def test_what_somebody_else_delivered_meanwhile_stays_delivered(
    store: HistoryStore, settings: Settings
) -> None:
    night = killed_before_it_delivered(settings)
    (event_id,) = waited = rows_waiting(night._outbox)
    flushed = DeliveryReport.of([EventState(event_id, "delivered")])
    save_alert_rows(settings, store, [], flushed, waited=waited)
    save_alert_rows(settings, store, night.records, DeliveryReport())
    assert states(store) == [("run", "delivered")]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"tags": None, "message": "text"},
        {"tags": {"kind": "test"}, "message": {"formatted": "no night"}, "environment": "local"},
        {"tags": {"kind": ["odd"]}, "message": {"formatted": None}},
    ],
)
def test_an_event_that_is_no_alert_of_a_night_has_no_row(settings: Settings, event: dict) -> None:
    outbox = NightAlerts(settings)._outbox
    outbox.put({"event_id": "e" * 32, **event})
    assert rows_waiting(outbox) == {}
