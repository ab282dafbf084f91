"""Alerts on their way: each is on the disk before it is posted, and stays until it has arrived."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from nightbench.alerts.alert import Alert
from nightbench.alerts.event import Run, event_of
from nightbench.errors import MeasurementError
from nightbench.files import check_writable, reason, write_whole


class Outbox:
    """A folder of Sentry events not yet delivered, one JSON file each, oldest name first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def rejected(self) -> Path:
        """Where events are set aside that the server will never take."""
        return self.folder / "rejected"

    def check_writable(self) -> None:
        """Try to write.

        Raises:
            ConfigurationError: naming the setting ``outbox`` and the folder.
        """
        check_writable("outbox", self.folder)

    def put(self, alert: Alert, run: Run) -> Path:
        """Keep the complete event of an alert; it is on the disk when this returns.

        Raises:
            MeasurementError: when the folder cannot be written, naming the alert that is not in it.
        """
        now = datetime.now(UTC)
        event = event_of(alert, run, now)
        path = self.folder / f"{now:%Y%m%dT%H%M%S.%fZ}-{event['event_id']}.json"
        text = json.dumps(event, indent=1, allow_nan=False)
        try:
            return write_whole(path, lambda file: file.write(text.encode()))
        except OSError as error:
            msg = f"the alert {alert.title!r} could not be kept in {self.folder}: {reason(error)}"
            raise MeasurementError(msg) from error

    def pending(self) -> list[Path]:
        """The events that wait, oldest first."""
        return sorted(path for path in self.folder.glob("[!.]*.json") if path.is_file())

    def set_aside(self, path: Path) -> Path:
        """Move an event to `rejected`, where no run posts it again."""
        self.rejected.mkdir(exist_ok=True)
        return path.replace(self.rejected / path.name)
