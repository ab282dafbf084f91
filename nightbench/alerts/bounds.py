"""How much may wait in the outbox, and what goes first when it is more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from nightbench.alert_settings import AlertSettings

_MIB = 2**20
_DEFAULT = AlertSettings()


@dataclass(frozen=True)
class Waiting:
    """One alert that waits.

    Attributes:
        path: Its file.
        since: When it was put there, UTC.
        size: Of its file in bytes.
    """

    path: Path
    since: datetime
    size: int


@dataclass(frozen=True)
class Bounds:
    """What may wait.

    Attributes:
        age: Of an alert.
        events: How many.
        size: Of all together in bytes; the newest one may be larger alone.
    """

    age: timedelta = timedelta(days=_DEFAULT.kept_days)
    events: int = _DEFAULT.kept_events
    size: int = int(_DEFAULT.kept_mib * _MIB)

    @classmethod
    def of(cls, settings: AlertSettings) -> Bounds:
        """Those that are set."""
        return cls(timedelta(days=settings.kept_days), settings.kept_events, int(settings.kept_mib * _MIB))

    def of_any_age(self) -> Bounds:
        """The same without a limit of age."""
        return replace(self, age=timedelta.max)

    def fit(self, sizes: Sequence[int]) -> bool:
        """Whether alerts of these sizes may all stay, however old they are; False when their age matters too."""
        few = len(sizes) <= self.events and (sum(sizes) <= self.size or len(sizes) <= 1)
        return few and self.age == timedelta.max

    def excess(self, waiting: Sequence[Waiting], now: datetime) -> tuple[Waiting, ...]:
        """What has to go: all that is too old, then the oldest until the rest is few and small enough.

        Args:
            waiting: Oldest first.
            now: UTC.
        """
        return tuple(self._excess(waiting, now))

    def _excess(self, waiting: Sequence[Waiting], now: datetime) -> Iterator[Waiting]:
        left, size = len(waiting), sum(each.size for each in waiting)
        for each in waiting:
            too_much = left > self.events or (size > self.size and left > 1)
            if too_much or now - each.since > self.age:
                left, size = left - 1, size - each.size
                yield each
