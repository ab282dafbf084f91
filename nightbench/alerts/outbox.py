"""Alerts on their way: each is on the disk before it is posted, and stays until it has arrived."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nightbench.alerts.attachment import Attachment
from nightbench.alerts.bounds import Bounds, Waiting
from nightbench.alerts.kept import EVENT_SUFFIX, SUFFIX, changed_at, envelope_of, id_of, name_of, since_of
from nightbench.alerts.outbox_lock import hold
from nightbench.alerts.outbox_state import OutboxState
from nightbench.errors import MeasurementError
from nightbench.files import check_writable, reason, write_whole

PATIENCE = 0.5
"""Seconds for another process to finish what takes an instant: only a delivery takes longer."""
_REASON = ".reason"
_MOST_NAME = 200  # bytes of a file's that its reason has, too: a name has 255 at most
_MOST_REASON = 2000  # bytes of one that are read


@dataclass(frozen=True)
class Rejected:
    """An alert that was set aside.

    Attributes:
        path: Its file.
        why: What the server said.
    """

    path: Path
    why: str


class Outbox:
    """A folder of alerts not yet delivered, one file each, the oldest name first.

    Args:
        folder: Its place; made when something is put there.
        bounds: How much may wait, and as much again may lie in `rejected`.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self.folder = folder
        self.bounds = bounds or Bounds()

    @property
    def rejected(self) -> Path:
        """Where alerts are set aside that the server will never take, each with its reason beside it."""
        return self.folder / "rejected"

    @property
    def lock(self) -> Path:
        """The file that whoever delivers holds."""
        return self.folder / "delivery" / "lock"

    @property
    def state_file(self) -> Path:
        """Where `OutboxState` is kept."""
        return self.folder / "delivery" / "state.json"

    def check_writable(self) -> None:
        """Try to write.

        Raises:
            ConfigurationError: naming the setting ``outbox`` and the folder.
        """
        check_writable("outbox", self.folder)

    def put(self, event: Mapping[str, Any], attachments: Sequence[Attachment] = ()) -> Path:
        """Keep the complete envelope of an alert; it is on the disk when this returns.

        Where there is no room for its attachments, it is kept without them.

        Raises:
            MeasurementError: when the folder cannot be written, naming the alert that is not in it.
        """
        path = self.folder / name_of(event["event_id"], datetime.now(UTC))
        try:
            self._write(path, event, attachments)
        except OSError as error:
            title = str(event.get("message", {}).get("formatted", "")).partition("\n")[0]
            msg = f"the alert {title!r} could not be kept in {self.folder}: {reason(error)}"
            raise MeasurementError(msg) from error
        self._make_room()
        return path

    def add(self, path: Path, event: Mapping[str, Any], attachments: Sequence[Attachment]) -> bool:
        """Give an alert that waits its attachments; False when it is on its way, or there is no room for them."""
        with suppress(OSError), hold(self.lock, patience=PATIENCE) as held:
            if not held.ours or not path.exists():
                return False
            content = envelope_of(event, attachments).serialize()
            others = sum(_sizes(self.folder)) - path.stat().st_size
            if others + len(content) > self.bounds.size:
                return False
            write_whole(path, lambda file: file.write(content))
            return True
        return False

    def _make_room(self) -> None:
        # an alert more is no reason to fail; whoever delivers looks at the bounds too
        with suppress(OSError), hold(self.lock) as held:
            if held.ours:
                self._trim(self.bounds.of_any_age(), datetime.now(UTC))  # the old ones are offered once more

    def _write(self, path: Path, event: Mapping[str, Any], attachments: Sequence[Attachment]) -> None:
        try:
            content = envelope_of(event, attachments).serialize()
            write_whole(path, lambda file: file.write(content))
        except OSError:
            if not attachments:
                raise
            self._write(path, event, ())

    def pending(self) -> list[Path]:
        """The alerts that wait, oldest first."""
        return _alerts_in(self.folder)

    def waiting_ids(self) -> frozenset[str]:
        """The event ids of the alerts that wait."""
        return frozenset(id_of(path) for path in self.pending())

    def withdraw(self, path: Path) -> bool:
        """Take back an alert that waits; False when it does not wait any more, or is on its way.

        Raises:
            MeasurementError: when it cannot be removed.
        """
        try:
            with hold(self.lock, patience=PATIENCE) as held:
                if held.ours:
                    path.unlink()
                return held.ours
        except FileNotFoundError:
            return False
        except OSError as error:
            msg = f"{path} could not be removed: {reason(error)}"
            raise MeasurementError(msg) from error

    def set_aside(self, path: Path, why: str) -> Path:
        """Move an alert to `rejected`, where no run posts it again, with the reason beside it.

        Raises:
            OSError: when that is impossible.
        """
        said = f"{why}\n".encode(errors="replace")
        write_whole(_reason_file(self.rejected / path.name), lambda file: file.write(said))
        return path.replace(self.rejected / path.name)

    def set_aside_ones(self) -> list[Rejected]:
        """The alerts in `rejected` with their reasons, oldest first."""
        return [Rejected(path, _why(path)) for path in _alerts_in(self.rejected)]

    def take_back(self) -> int:
        """Let everything in `rejected` wait again, each at its old place in the order; return how many that were.

        Raises:
            OSError: when that is impossible.
        """
        taken = _alerts_in(self.rejected)
        for path in taken:
            path.replace(self.folder / path.name)
            _reason_file(path).unlink(missing_ok=True)
        return len(taken)

    def trim(self, now: datetime) -> tuple[str, ...]:
        """Give up what is more than the bounds allow, and count it; the caller holds the outbox.

        Returns:
            The event ids of what is given up.

        Raises:
            OSError: when it could not be removed or counted.
        """
        return self._trim(self.bounds, now)

    def _trim(self, bounds: Bounds, now: datetime) -> tuple[str, ...]:
        gone = [
            each.path
            for folder in (self.folder, self.rejected)
            if not bounds.fit(_sizes(folder))
            for each in bounds.excess(_waiting(folder), now)
        ]
        ids = tuple(id_of(path) for path in gone)
        if ids:  # counted first: nobody knows of what is removed and not counted
            OutboxState.read(self.state_file).with_dropped(ids).write(self.state_file)
        for path in gone:
            path.unlink(missing_ok=True)
            _reason_file(path).unlink(missing_ok=True)
        return ids


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as found:
        for each in found:
            if each.name.endswith((SUFFIX, EVENT_SUFFIX)) and not each.name.startswith("."):
                with suppress(OSError):  # a link in a circle
                    if each.is_file():
                        yield each


def _alerts_in(folder: Path) -> list[Path]:
    return [folder / name for name in sorted(each.name for each in _entries(folder))]


def _sizes(folder: Path) -> list[int]:
    sizes: list[int] = []
    for each in _entries(folder):
        with suppress(FileNotFoundError):
            sizes.append(each.stat().st_size)
    return sizes


def _waiting(folder: Path) -> list[Waiting]:
    found: list[Waiting] = []
    for path in _alerts_in(folder):
        with suppress(FileNotFoundError):
            found.append(Waiting(path, _kept_since(path), path.stat().st_size))
    return sorted(found, key=lambda each: (each.since, each.path.name))


def _kept_since(path: Path) -> datetime:
    """When it was put there, or set aside: the time of the reason then."""
    try:
        return changed_at(_reason_file(path))
    except FileNotFoundError:
        return since_of(path)


def _reason_file(path: Path) -> Path:
    name = os.fsdecode(os.fsencode(path.name)[:_MOST_NAME])
    return path.with_name(f"{name}{_REASON}")


def _why(path: Path) -> str:
    try:
        with _reason_file(path).open("rb") as file:
            return file.read(_MOST_REASON).decode(errors="replace").strip()
    except OSError:
        return ""
