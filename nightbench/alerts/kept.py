"""The file of one alert: its whole Sentry envelope, ready to be posted, without the DSN and its key."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sentry_sdk.envelope import Envelope, Item

from nightbench.alerts.attachment import Attachment
from nightbench.errors import NightbenchError
from nightbench.visible import visible

SUFFIX: Final = ".envelope"
EVENT_SUFFIX: Final = ".json"
"""Of the files of earlier versions, which hold the event alone."""
MOST_MIB: Final = 20
"""Of a file that is read; Sentry takes no larger envelope."""
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_LAST: Final = 4_102_444_800  # 2100-01-01; what claims to be newer is odd


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
    """When an alert was put there: by the name of its file, or else by `changed_at`.

    Raises:
        OSError: when the file is gone.
    """
    try:
        return datetime.strptime(path.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return changed_at(path)


def changed_at(path: Path) -> datetime:
    """When a file was written last: 1970 to 2100, whatever it claims.

    Raises:
        OSError: when the file is gone.
    """
    return datetime.fromtimestamp(min(max(path.stat().st_mtime, 0), _LAST), UTC)


def id_of(path: Path) -> str:
    """The event id that the name of an alert's file has."""
    return legible(path.stem.rpartition("-")[2])


def legible(text: str) -> str:
    """A name or an id of whoever wrote it, for people: what is no text in UTF-8 is a question mark."""
    return visible(text.encode(errors="replace").decode())


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
    content = _content(path)
    try:
        if path.suffix == EVENT_SUFFIX:
            event = json.loads(content)
            return envelope_of({**event, "event_id": str(event["event_id"])})
        envelope = Envelope.deserialize(content)
        if _is_whole(envelope):
            return envelope
    except Exception:  # noqa: BLE001, S110  # nightbench has not written it: any step of the reading may fail
        pass
    msg = f"{legible(path.name)} is not an alert"
    raise NoAlertError(msg)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= MOST_MIB * 2**20:
            return file.read(MOST_MIB * 2**20)
    msg = f"{legible(path.name)} is larger than {MOST_MIB} MiB: not an alert"
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
