"""What was decided about one alert of a night: the row that the dataset keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Decision = Literal[
    "told",  # an event of its own
    "reminder",  # an event of its own, of a regression that was told before and lasts
    "held_back",  # a line of the roll-up
    "known",  # a regression that was told and whose reminder is not due: no event tonight
    "recovered",  # well again
]

TOLD: frozenset[Decision] = frozenset({"told", "reminder", "held_back"})
"""Those whose event is of the night that decided."""


@dataclass(frozen=True)
class AlertRecord:
    """One decision of a night.

    Attributes:
        night_id: Of the night that decided.
        run_id: Of the run that it is about; the night's id where there is none.
        environment: Of the night.
        kind: See `nightbench.alerts.alert.Kind`.
        suite, tier, metric: What it is about, as in the alert's fingerprint.
        level: Of the alert: ``error``, ``warning`` or ``info``.
        title: Of the alert.
        decision: What was decided.
        event_id: Of the event that tells it: its own, or the roll-up's. Of what is known or recovered, that of the
            last event that told of it. None where there is none.
        at: When that was decided, UTC.
        note: What else is to know, such as why an issue could not be resolved; else empty.
    """

    night_id: str
    run_id: str
    environment: str
    kind: str
    suite: str
    tier: str
    metric: str
    level: str
    title: str
    decision: Decision
    event_id: str | None
    at: datetime
    note: str = ""
