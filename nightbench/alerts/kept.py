"""The file of one alert: its whole Sentry envelope, ready to be posted, without the DSN and its key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sentry_sdk.envelope import Envelope, Item

from nightbench.alerts.attachment import Attachment
from nightbench.errors import NightbenchError

SUFFIX: Final = ".envelope"
EVENT_SUFFIX: Final = ".json"
"""Of the files of earlier versions, which hold the event alone."""
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"


class NoAlertError(NightbenchError):
    """A file in the outbox that holds no alert."""


def envelope_of(event: Mapping[str, Any], attachments: Sequence[Attachment] = ()) -> Envelope:
    """The envelope of an event, which has its id already, and of the files that go along."""
    envelope = Envelope(headers={"event_id": event["event_id"]})
    envelope.add_event(dict(event))  # type: ignore[arg-type]  # JSON-like, as `event_of` made it
    for attachment in attachments:
        envelope.add_item(
            Item(
                payload=attachment.content,
                type="attachment",
                content_type=attachment.content_type,
                filename=attachment.filename,
            )
        )
    return envelope


def without_attachments(envelope: Envelope) -> Envelope:
    """The same alert without its files."""
    return Envelope(envelope.headers, [item for item in envelope.items if item.type != "attachment"])


def name_of(event_id: str, now: datetime) -> str:
    """The name of the file of an alert; names sort by time."""
    return f"{now.astimezone(UTC):{_STAMP}}-{event_id}{SUFFIX}"


def since_of(path: Path) -> datetime:
    """When an alert was put there: by the name of its file, or else by the file's own time.

    Raises:
        OSError: when the file is gone.
    """
    try:
        return datetime.strptime(path.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def id_of(path: Path) -> str:
    """The event id that the name of an alert's file has."""
    return path.stem.rpartition("-")[2]


def event_in(path: Path) -> dict[str, Any]:
    """The event of a file.

    Raises:
        OSError: when it cannot be read.
        NoAlertError: when it holds none.
    """
    event = read(path).get_event()
    return dict(event or {})


def read(path: Path) -> Envelope:
    """The envelope in a file; one that is cut off is none.

    Raises:
        OSError: when it cannot be read.
        NoAlertError: when it holds none.
    """
    content = path.read_bytes()
    try:
        if path.suffix == EVENT_SUFFIX:
            event = json.loads(content)
            return envelope_of({**event, "event_id": str(event["event_id"])})
        envelope = Envelope.deserialize(content)
        if _is_whole(envelope):
            return envelope
    # whatever lies there, it was not written by nightbench: any step of the reading may fail
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    msg = f"{path.name} is not an alert"
    raise NoAlertError(msg)


def _is_whole(envelope: Envelope) -> bool:
    event = envelope.get_event()
    lengths = [(item.headers.get("length"), len(item.get_bytes())) for item in envelope.items[1:]]
    return (
        isinstance(event, dict)
        and isinstance(event.get("event_id"), str)
        and envelope.headers.get("event_id") == event["event_id"]
        and all(said == there for said, there in lengths)
    )
