"""What the outbox remembers beside its alerts: how many were dropped, and who wants to be left alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nightbench.alerts.answer import LONGEST_SECONDS
from nightbench.alerts.kept import legible
from nightbench.files import write_whole

VERSION: Final = 1
_MOST_IDS = 1000


@dataclass(frozen=True)
class OutboxState:
    """What is remembered; it is changed by whoever holds the outbox.

    Attributes:
        dropped: Alerts that were given up since there is this outbox.
        told: How many of those some report has told of.
        untold: The event ids of the rest, the last thousand.
        project: Of the server that asked for a pause: host, path and number; empty when none did.
        until: The end of that pause, seconds since 1970.
        version: Of this form.
    """

    dropped: int = 0
    told: int = 0
    untold: tuple[str, ...] = ()
    project: str = ""
    until: float = 0.0
    version: int = VERSION

    @classmethod
    def read(cls, file: Path) -> OutboxState:
        """What is remembered in `file`; nothing where there is none, or none that can be read."""
        try:
            return cls._of(json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return cls()

    @classmethod
    def _of(cls, found: Any) -> OutboxState:
        if found["version"] != VERSION:
            return cls()
        dropped, told = int(found["dropped"]), int(found["told"])
        untold = tuple(legible(str(each)) for each in found["untold"])[-_MOST_IDS:]
        if not 0 <= told <= dropped - len(untold):
            return cls()
        return cls(
            dropped=dropped,
            told=told,
            untold=untold,
            project=str(found["project"]),
            until=float(found["until"]),
        )

    def write(self, file: Path) -> None:
        """Remember it.

        Raises:
            OSError: when that is impossible.
        """
        write_whole(file, lambda out: out.write(json.dumps(asdict(self)).encode()))

    def with_dropped(self, event_ids: Iterable[str]) -> OutboxState:
        """After some were given up; one that was counted before is not counted again."""
        known = frozenset(self.untold)
        ids = tuple(dict.fromkeys(each for each in event_ids if each not in known))
        return replace(self, dropped=self.dropped + len(ids), untold=(*self.untold, *ids)[-_MOST_IDS:])

    def without(self, event_ids: Collection[str]) -> OutboxState:
        """After some that were counted turned out to be there: who counted them was killed before it removed them."""
        left = tuple(each for each in self.untold if each not in event_ids)
        return replace(self, dropped=self.dropped - len(self.untold) + len(left), untold=left)

    def when_told(self) -> OutboxState:
        """After a report has told of all that were given up."""
        return replace(self, told=self.dropped, untold=())

    def paused(self, project: str, seconds: float, now: datetime) -> OutboxState:
        """After the server of `project` asked to be left alone for so long."""
        return replace(self, project=project, until=now.timestamp() + seconds)

    def pause(self, project: str, now: datetime) -> datetime | None:
        """Until when the server of `project` wants to be left alone; None when it does not.

        A pause longer than any that is made comes from a clock that was put back, and is none.
        """
        left = self.until - now.timestamp()
        if project != self.project or not 0 < left <= LONGEST_SECONDS:
            return None
        return (now + timedelta(seconds=left)).astimezone(UTC)
