"""What is remembered of an alert from night to night, until it is well again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from nightbench.history.record import clean_text

Key = tuple[str, ...]


@dataclass(frozen=True)
class OpenAlert:
    """Something that was told and is not well again, as far as this outbox knows.

    Attributes:
        kind, suite, tier, metric, environment: The fingerprint of its issue.
        setup, epoch: As in the alert.
        level, title: Of the alert.
        since_night: The first night of it.
        last_night: The last night on which it was bad.
        last_at: When that was written down, UTC.
        nights: On how many nights it was bad since it was last told.
        event_id: Of the last event that told of it; a roll-up's when it stood in none of its own, and empty when
            that event was given up before it arrived.
        own: Whether an event of its own told of it, so that the server has an issue.
        over: Why it is well again, when its issue waits to be resolved; else empty.
    """

    kind: str
    suite: str
    tier: str
    metric: str
    environment: str
    setup: str
    epoch: str
    level: str
    title: str
    since_night: str
    last_night: str
    last_at: datetime
    nights: int
    event_id: str
    own: bool
    over: str = ""

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """What its issue is found by."""
        return (self.kind, self.suite, self.tier, self.metric, self.environment)

    @property
    def key(self) -> Key:
        """What it is kept under, as `nightbench.alerts.alert.Alert.key`."""
        return (*self.fingerprint, self.setup)

    @property
    def place(self) -> str:
        """What it is about, in words: ``full websocket message.response_time.p95``."""
        words = [word for word in (self.tier, self.suite) if word != "all"] or ["night"]
        return " ".join([*words, self.metric])


_WORDS = ("suite", "tier", "metric", "environment", "title")
"""Texts that people chose. Of ids and instants nothing may be taken for a secret."""
_TYPES = {"nights": int, "own": bool, "last_at": str}


def row_of(alert: OpenAlert) -> dict[str, Any]:
    """The alert as JSON has it, scrubbed."""
    row = {**asdict(alert), "last_at": alert.last_at.isoformat()}
    return {name: clean_text(value) if name in _WORDS else value for name, value in row.items()}


def alert_of(row: Any) -> OpenAlert:
    """The alert of a row.

    Raises:
        ValueError: when it is none.
    """
    names = [field.name for field in fields(OpenAlert)]
    if not isinstance(row, Mapping) or not all(
        type(row.get(name)) is _TYPES.get(name, str) for name in names
    ):
        msg = "is no alert"
        raise ValueError(msg)
    at = datetime.fromisoformat(row["last_at"])
    if at.tzinfo is None:
        msg = "has an instant without a time zone"
        raise ValueError(msg)
    return OpenAlert(**{**{name: row[name] for name in names}, "last_at": at})
