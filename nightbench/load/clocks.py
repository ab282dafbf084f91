"""How far the clock of another machine is from ours, and how well that is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_UNCERTAINTY_MS = 50.0
"""Past it the shards of a load test do not line up: a second of one is another second of the others."""


class Trip(NamedTuple):
    """One question and its answer; instants are wall-clock ns.

    Attributes:
        sent: Ours, when it was asked.
        theirs: What the other clock showed in between.
        received: Ours, when the answer was there.
    """

    sent: int
    theirs: int
    received: int


@dataclass(frozen=True)
class Clock:
    """Of another machine.

    Attributes:
        ahead: Its time minus ours, ns.
        uncertainty: How much that may be wrong, ns.
    """

    ahead: int
    uncertainty: int

    @classmethod
    def of(cls, trips: Sequence[Trip]) -> Clock:
        """By the quickest of `trips`: it was read halfway through, give or take half of the trip.

        Source: F. Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989), 146-158.
        """
        best = min(trips, key=lambda trip: trip.received - trip.sent)
        half = (best.received - best.sent) // 2
        return cls(best.theirs - best.sent - half, half)

    @property
    def problem(self) -> str | None:
        """Why shards that start by it cannot be trusted to line up, with the way out; None when they can."""
        known_to = self.uncertainty / 1e6
        if known_to <= MAX_UNCERTAINTY_MS:
            return None
        return (
            f"its clock is known to {known_to:.0f} ms only (limit {MAX_UNCERTAINTY_MS:.0f} ms), so its load may not "
            "line up with that of the others: use a quicker network or less busy machines"
        )
