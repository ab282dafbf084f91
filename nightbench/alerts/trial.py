"""A harmless event, to see whether alerts would arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nightbench.alerts.alert import LEVELS, Alert
from nightbench.alerts.answer import Answer
from nightbench.alerts.event import event_of
from nightbench.alerts.kept import envelope_of
from nightbench.alerts.posting import Poster
from nightbench.measurement import new_id


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        event_id: Of the event, to find it by.
        answer: Of the server.
    """

    event_id: str
    answer: Answer


@dataclass(frozen=True)
class _NoRun:
    run_id: str
    night_id: str


def try_out(poster: Poster, environment: str, now: datetime) -> Trial:
    """Post an event of level info in an issue of its own, past the outbox: it never waits, and leaves nothing behind."""
    alert = Alert(
        kind="test",
        suite="all",
        tier="all",
        metric="alerts",
        environment=environment,
        level=LEVELS["test"],
        title="nightbench alerts test",
        text="Somebody asked whether alerts arrive here. They do; nothing is wrong.",
    )
    name = new_id("test", now)
    event = event_of(alert, _NoRun(name, name), now)
    return Trial(event["event_id"], poster.post(envelope_of(event)))
