"""The alerts that are open, in a file of the outbox: what was told before, so that it is not told every night."""

from __future__ import annotations

import errno
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from nightbench.alerts.open_alert import Key, OpenAlert, alert_of, row_of
from nightbench.alerts.outbox_lock import hold
from nightbench.errors import MeasurementError
from nightbench.files import reason, write_whole

FOLDER = "state"
SCHEMA = 1
MOST = 5000
"""Alerts that are remembered; the longest untouched are forgotten first."""
KEPT = timedelta(days=90)
"""What was not seen for longer is forgotten."""
_MOST_BYTES = 32 * 2**20
_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Known:
    """What the file says.

    Attributes:
        entries: The open alerts, oldest first.
        problem: Why the file could not be read, one sentence; empty when it could, or when there is none yet.
    """

    entries: tuple[OpenAlert, ...] = ()
    problem: str = ""

    def get(self, key: Key) -> OpenAlert | None:
        """The alert that is kept under a key."""
        return next((entry for entry in self.entries if entry.key == key), None)


class OpenAlerts:
    """The file ``state/open.json`` of an outbox; two nights may change it at once, each its own alerts."""

    def __init__(self, outbox: Path) -> None:
        self.file = outbox / FOLDER / "open.json"

    def read(self) -> Known:
        """What is open. A file that is torn, or of somebody else, says nothing: better told twice than not at all."""
        try:
            with self.file.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return Known()
        except OSError as error:
            return Known(problem=f"{self.file} cannot be read: {reason(error)}; alerts are told anew")
        try:
            return Known(_entries(content))
        except (ValueError, TypeError, KeyError, RecursionError):
            problem = f"{self.file} is not what this version wrote; alerts are told anew"
            return Known(problem=problem)

    def change(self, changes: Mapping[Key, OpenAlert | None], now: datetime) -> None:
        """Put alerts under their keys and remove those that are None; what others changed meanwhile stays.

        A file that cannot be understood is kept aside and begun anew.

        Raises:
            MeasurementError: when the file cannot be written; it is as it was then.
        """
        if not changes:
            return
        try:
            with hold(self.file.with_name("lock"), patience=_LOCK_SECONDS) as held:
                if not held.ours:
                    raise BlockingIOError(errno.EWOULDBLOCK, "another process has it")
                known = self.read()
                if known.problem:
                    with suppress(FileNotFoundError):
                        self.file.replace(self.file.with_name("open.unreadable.json"))
                entries = {entry.key: entry for entry in known.entries}
                for key, entry in changes.items():
                    entries.pop(key, None)  # what changes goes to the end
                    if entry is not None:
                        entries[key] = entry
                self._write([entry for entry in entries.values() if now - entry.last_at < KEPT][-MOST:])
        except OSError as error:
            msg = f"what was told could not be remembered in {self.file}: {reason(error)}"
            raise MeasurementError(msg) from error

    def give_up(self, event_ids: Collection[str], now: datetime) -> None:
        """Remember that these events never arrived: what they told is told anew by the next night that finds it.

        Raises:
            MeasurementError: when it cannot be written.
        """
        if event_ids:
            lost = [entry for entry in self.read().entries if entry.event_id in event_ids]
            self.change({entry.key: replace(entry, event_id="") for entry in lost}, now)

    def _write(self, entries: list[OpenAlert]) -> None:
        rows = [row_of(entry) for entry in entries]
        text = json.dumps({"schema": SCHEMA, "open": rows}, indent=1, allow_nan=False)
        write_whole(self.file, lambda file: file.write(text.encode()))


def _entries(content: bytes) -> tuple[OpenAlert, ...]:
    if len(content) > _MOST_BYTES:
        msg = "is too large"
        raise ValueError(msg)
    document = json.loads(content)
    if document["schema"] != SCHEMA:
        msg = "is of another version"
        raise ValueError(msg)
    return tuple(alert_of(row) for row in document["open"])
