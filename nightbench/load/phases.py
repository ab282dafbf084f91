"""The four phases of a load test as instants: ramp, warm-up, measure, drain."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Phase = Literal["ramp", "warmup", "measure", "drain"]

SECOND = 1_000_000_000

INTERRUPTED_DRAIN_SECONDS = 2.0
"""How long what is under way may take to end when a run ends before its plan did."""


@dataclass(frozen=True)
class Phases:
    """When each phase begins, in monotonic ns. What is scheduled inside `measure` counts.

    Attributes:
        start: The ramp begins.
        warmup: Everybody has been asked to connect.
        measure: Counting begins.
        drain: Nothing is scheduled any more; what is under way may end.
        end: The latest instant at which the test ends.
    """

    start: int
    warmup: int
    measure: int
    drain: int
    end: int

    @classmethod
    def plan(cls, start: int, *, ramp: float, warmup: float, measure: float, drain: float) -> Phases:
        """Lay out phases of the given lengths in seconds from `start` (ns)."""
        instants = [start]
        for seconds in (ramp, warmup, measure, drain):
            instants.append(instants[-1] + round(seconds * SECOND))
        return cls(*instants)

    def at(self, now: int) -> Phase:
        """The phase that `now` lies in; before the start is ramp, after the end is drain."""
        if now < self.warmup:
            return "ramp"
        if now < self.measure:
            return "warmup"
        return "measure" if now < self.drain else "drain"

    def counts(self, scheduled: int) -> bool:
        """Whether an operation scheduled at this instant counts."""
        return self.measure <= scheduled < self.drain

    def cut(self, now: int, *, drain: float) -> Phases:
        """These phases ended early at `now`: what was scheduled before still counts.

        Args:
            now: The instant, ns. When the drain has begun by then, only its end changes.
            drain: Seconds from `now` that what is under way may still take.
        """
        cut = max(now, self.start)
        drained = min(self.drain, cut)
        return Phases(
            start=self.start,
            warmup=min(self.warmup, drained),
            measure=min(self.measure, drained),
            drain=drained,
            end=min(self.end, cut + round(drain * SECOND)),
        )

    def since(self, origin: int) -> Phases:
        """The same instants, counted from `origin` (ns)."""
        return Phases(*(getattr(self, each.name) - origin for each in fields(self)))

    @property
    def measured_seconds(self) -> float:
        """Length of the measure phase."""
        return (self.drain - self.measure) / SECOND

    @property
    def loaded_seconds(self) -> float:
        """Length of everything before the drain."""
        return (self.drain - self.start) / SECOND
