"""What was decided about each alert joined with what became of it, as rows of the dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from nightbench.alerts.alert_record import TOLD, AlertRecord
from nightbench.alerts.delivery_report import DeliveryReport, EventState
from nightbench.alerts.kept import NoAlertError, event_in, id_of
from nightbench.alerts.outbox import Outbox
from nightbench.history.store import HistoryStore
from nightbench.settings import Settings

_MARGIN = timedelta(days=62)
"""A row is of the month in which it was written, and a machine may rest before it gives up what waits."""
_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


def alert_rows(records: Iterable[AlertRecord], delivery: DeliveryReport | None) -> list[dict[str, Any]]:
    """One row a decision, with what became of its event; what has no event of this night has no state."""
    states = {} if delivery is None else {each.event_id: each for each in delivery.events}
    return [_row(record, states) for record in records]


def rows_waiting(outbox: Outbox, *, known: Collection[str | None] = ()) -> dict[str, dict[str, Any]]:
    """The row of each alert that waits, by event id, as its event tells it: the night that put it may have been killed.

    Args:
        outbox: Where they wait.
        known: Event ids that are not looked at.
    """
    found = {}
    for path in outbox.pending():
        with suppress(OSError, NoAlertError):
            if id_of(path) not in known and (row := _row_of(event_in(path))):
                found[id_of(path)] = row
    return found


def save_alert_rows(
    settings: Settings,
    store: HistoryStore,
    records: Iterable[AlertRecord],
    delivery: DeliveryReport,
    *,
    waited: Mapping[str, Mapping[str, Any]] = _NOTHING,
) -> None:
    """Write what was decided, and what became now of alerts that earlier nights decided.

    Args:
        settings: Of alerts: how long one waits.
        store: The dataset.
        records: Of tonight.
        delivery: What became of all that waited.
        waited: As `rows_waiting` had it before the delivery: what the dataset does not know is written from it.

    Raises:
        MeasurementError: when it could not be saved.
        ConfigurationError: when the dataset cannot be looked into.
    """
    rows = alert_rows(records, delivery)
    own = {row["event_id"] for row in rows if _is_told(row)}
    news = {each.event_id: each for each in delivery.events if each.event_id not in own}
    elsewhere = {row["event_id"] for row in rows if _is_told(row) and not row["state"] and row["event_id"]}
    old = {*news} - {*waited}
    stored = _stored(settings, store, {*news, *elsewhere}, old) if news or elsewhere else {}
    store.save_alerts(
        [
            *(_as_stored(row, stored) if row["event_id"] in elsewhere else row for row in rows),
            *_of_earlier_nights(news, stored, waited),
        ]
    )


def _row(record: AlertRecord, states: Mapping[str, EventState]) -> dict[str, Any]:
    row = asdict(record)
    note, found = row.pop("note"), None
    if _is_told(row) and record.event_id is not None:
        found = states.get(record.event_id)
    return {
        **row,
        "at": record.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "state": found.state if found else None,
        "reason": "; ".join(filter(None, (note, found.reason if found else ""))),
    }


def _row_of(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an event says of itself; None when it is no alert of a night."""
    message, tags = event.get("message"), event.get("tags")
    if not isinstance(tags, Mapping) or not isinstance(message, Mapping):
        return None
    names = ("kind", "suite", "tier", "metric", "run_id", "night_id")
    row = {
        **{name: tags.get(name) for name in names},
        "environment": event.get("environment"),
        "level": event.get("level"),
        "title": str(message.get("formatted") or "").partition("\n")[0],
        "decision": tags.get("decision", "told"),
        "event_id": event.get("event_id"),
    }
    return row if all(isinstance(value, str) for value in row.values()) else None


def _is_told(row: Mapping[str, Any]) -> bool:
    return row["decision"] in TOLD


def _stored(
    settings: Settings, store: HistoryStore, event_ids: Collection[str], old: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """The last rows of alerts that some events told, by event id; all months are read where one of `old` is missing."""
    found: dict[str, list[dict[str, Any]]] = {}
    for since in (datetime.now(UTC) - timedelta(days=settings.alerts.kept_days) - _MARGIN, None):
        rows: list[Any] = store.alerts(since=since).to_dict("records")
        found = {}
        for row in rows:
            if row["event_id"] in event_ids and _is_told(row):
                found.setdefault(row["event_id"], []).append(row)
        if all(each in found for each in old):
            break
    return found


def _as_stored(row: dict[str, Any], stored: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """With what somebody else wrote of its event, who delivered it."""
    for each in stored.get(row["event_id"], ()):
        if each["state"]:
            return {**row, "state": each["state"], "reason": each["reason"]}
    return row


def _of_earlier_nights(
    news: Mapping[str, EventState],
    stored: Mapping[str, list[dict[str, Any]]],
    waited: Mapping[str, Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    for event_id, found in news.items():
        now = {"state": found.state, "reason": found.reason}
        if event_id in stored:
            if found.state != "undelivered":
                yield from ({**row, **now} for row in stored[event_id])
        elif event_id in waited:
            yield {**waited[event_id], **now}
