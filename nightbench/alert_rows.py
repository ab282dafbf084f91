"""What was decided about each alert joined with what became of it, as rows of the dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.delivery_report import DeliveryReport, EventState
from nightbench.history.store import HistoryStore
from nightbench.settings import Settings

_TOLD = ("told", "reminder", "held_back")
"""The decisions whose event is of this night."""


def alert_rows(records: Iterable[AlertRecord], delivery: DeliveryReport | None) -> list[dict[str, Any]]:
    """One row a decision, with what became of its event; what has no event of this night has no state."""
    states = {} if delivery is None else {each.event_id: each for each in delivery.events}
    return [_row(record, states) for record in records]


def save_alert_rows(
    settings: Settings, store: HistoryStore, records: Iterable[AlertRecord], delivery: DeliveryReport
) -> None:
    """Write what was decided, and what became now of alerts that earlier nights decided.

    Raises:
        MeasurementError: when it could not be saved.
        ConfigurationError: when the dataset cannot be looked into.
    """
    rows = alert_rows(records, delivery)
    own = {row["event_id"] for row in rows}
    news = {
        each.event_id: each
        for each in delivery.events
        if each.event_id not in own and each.state != "undelivered"
    }
    earlier = list(_of_earlier_nights(settings, store, news)) if news else []
    store.save_alerts([*rows, *earlier])


def _row(record: AlertRecord, states: Mapping[str, EventState]) -> dict[str, Any]:
    row = asdict(record)
    note, found = row.pop("note"), None
    if record.decision in _TOLD and record.event_id is not None:
        found = states.get(record.event_id)
    return {
        **row,
        "at": record.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "state": found.state if found else None,
        "reason": "; ".join(filter(None, (note, found.reason if found else ""))),
    }


def _of_earlier_nights(
    settings: Settings, store: HistoryStore, news: Mapping[str, EventState]
) -> Iterator[dict[str, Any]]:
    since = datetime.now(UTC) - timedelta(days=settings.alerts.kept_days)
    rows: list[Any] = store.alerts(since=since).to_dict("records")
    for row in rows:
        found = news.get(row["event_id"])
        if found is not None and row["decision"] in _TOLD:
            yield {**row, "state": found.state, "reason": found.reason}
