"""Check-ins: Sentry is told that a night began and how it ended, so that it misses one that never ran.

They do not wait in the outbox: late, they would tell of a night that is long over.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Literal

from sentry_sdk.envelope import Envelope, Item, PayloadRef

from nightbench import __version__
from nightbench.alerts.monitor import Monitor, monitor_slug

Status = Literal["in_progress", "ok", "error"]

_NAMESPACE = uuid.UUID("8e2f7a55-35d4-4d0e-9a5e-6b1f1b0b7c7d")


@dataclass(frozen=True)
class CheckIn:
    """One check-in of one night.

    Attributes:
        night: What is known of the night by whoever tells of it, also after its process is gone: the id of the
            flow run. Check-ins of the same are one in Sentry.
        environment: Of the night.
        status: ``in_progress`` at its begin; at its end ``ok``, or ``error`` when it gave no measurement.
        duration: Seconds from its begin to its end; None at the begin, or when nobody knows.
        monitor: When nights are due, which makes or changes the monitor; None where nothing is scheduled.
    """

    night: str
    environment: str
    status: Status
    duration: float | None = None
    monitor: Monitor | None = None

    def payload(self) -> dict[str, Any]:
        """The item that Sentry takes."""
        told: dict[str, Any] = {
            "check_in_id": uuid.uuid5(_NAMESPACE, self.night).hex,
            "monitor_slug": monitor_slug(self.environment),
            "status": self.status,
            "environment": self.environment,
            "release": f"nightbench@{__version__}",
        }
        if self.duration is not None:
            told["duration"] = round(self.duration, 3)
        if self.monitor is not None:
            told["monitor_config"] = self.monitor.config()
        return told

    def envelope(self) -> Envelope:
        """The envelope to post."""
        envelope = Envelope()
        envelope.add_item(Item(payload=PayloadRef(json=self.payload()), type="check_in"))
        return envelope
