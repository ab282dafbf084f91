"""The Sentry event of an alert."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Protocol

from nightbench import __version__
from nightbench.alerts.alert import Alert
from nightbench.history.record import clean

_MAX_TAG = 200  # characters; Sentry drops longer ones


class Run(Protocol):
    """What an alert is about: a measurement, or a step that gave none."""

    @property
    def run_id(self) -> str: ...
    @property
    def night_id(self) -> str: ...


def event_of(alert: Alert, run: Run, now: datetime) -> dict[str, Any]:
    """The Sentry event of an alert, scrubbed.

    Its id is made here, once: a server that is told of it twice keeps one.
    """
    tags = {**alert.tags, "run_id": run.run_id, "night_id": run.night_id}
    event: dict[str, Any] = clean(
        {
            "timestamp": now,
            "platform": "python",
            "logger": "nightbench",
            "level": alert.level,
            "message": {"formatted": alert.title},
            "fingerprint": alert.fingerprint,
            "environment": alert.environment,
            "release": f"nightbench@{__version__}",
            "tags": {name: value[:_MAX_TAG] for name, value in tags.items()},
            "contexts": {"benchmark": alert.context},
        }
    )
    return {"event_id": uuid.uuid4().hex, **event}
