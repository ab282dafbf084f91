"""The table ``alerts``: what was told of a night, and what became of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightbench.alert_rows import alert_rows, save_alert_rows
from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.delivery_report import DeliveryReport, EventState
from nightbench.history.schema import ALERTS
from nightbench.history.store import HistoryStore
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
