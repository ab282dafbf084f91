"""What waits in an outbox, as tests read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sentry_sdk.envelope import Envelope

from nightbench.alerts.outbox import Outbox


def waiting(folder: Path) -> list[dict[str, Any]]:
    """The events that wait, oldest first."""
    envelopes = [Envelope.deserialize(path.read_bytes()) for path in Outbox(folder).pending()]
    return [event for envelope in envelopes if (event := envelope.get_event()) is not None]


def titles(folder: Path) -> list[str]:
    """Their titles, which are the first lines of their messages."""
    return [event["message"]["formatted"].splitlines()[0] for event in waiting(folder)]


def charts(folder: Path) -> dict[str, bytes | None]:
    """The attachment of each, by title; None where there is none."""
    found: dict[str, bytes | None] = {}
    for path in Outbox(folder).pending():
        envelope = Envelope.deserialize(path.read_bytes())
        event = envelope.get_event()
        contents = [item.get_bytes() for item in envelope.items if item.type == "attachment"]
        if event is not None:
            title = event["message"]["formatted"].splitlines()[0]
            found[title] = contents[0] if contents else None
    return found
