"""Alerts for the tests of their delivery."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nightbench.alerts.attachment import Attachment
from nightbench.alerts.outbox import Outbox

CHART = Attachment("chart.png", "image/png", b"\x89PNG\r\n\x00\xff" * 50)


def event(title: str = "full websocket: failed") -> dict[str, Any]:
    """An event as `event_of` makes them, with an id of its own."""
    return {
        "event_id": uuid.uuid4().hex,
        "timestamp": "2026-11-27T03:15:00Z",
        "platform": "python",
        "level": "error",
        "message": {"formatted": f"{title}\n\nthe numbers"},
        "fingerprint": ["failed", title],
    }


def put(outbox: Outbox, amount: int = 1, attachments: Sequence[Attachment] = ()) -> list[str]:
    """Put so many alerts; gives their event ids, oldest first."""
    return [written_id(outbox.put(event(f"alert {number}"), attachments)) for number in range(amount)]


def written_id(path: Path) -> str:
    """The event id that a file of the outbox is about."""
    return path.stem.rpartition("-")[2]
