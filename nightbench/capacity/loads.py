"""The loads that were tried, each with all of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from nightbench.capacity.search import Result, Step


@dataclass(frozen=True)
class Tried:
    """One load, and what its steps say of it.

    Attributes:
        load: Users, or operations a second.
        steps: Those of it, in order.
    """

    load: int
    steps: tuple[Step, ...]

    def count(self, result: Result) -> int:
        """How many of its steps had this result."""
        return sum(step.result == result for step in self.steps)

    @property
    def result(self) -> Result:
        """What more of its steps say; invalid when that is neither."""
        lead = self.count("met") - self.count("missed")
        if lead == 0:
            return "invalid"
        return "met" if lead > 0 else "missed"

    @property
    def p95_ms(self) -> float | None:
        """The median of the valid steps' P95 response times; None when none has one."""
        return _median([step.p95_ms for step in self._valid])

    @property
    def success(self) -> float | None:
        """The median of the valid steps' success rates, in percent; None when none has one."""
        return _median([step.success for step in self._valid])

    @property
    def reasons(self) -> tuple[str, ...]:
        """What spoke against it the last time that something did; of steps that came out as the load did, if any."""
        told = [step for step in reversed(self.steps) if step.reasons]
        alike = [step for step in told if step.result == self.result]
        return next((step.reasons for step in (*alike, *told)), ())

    @property
    def _valid(self) -> list[Step]:
        return [step for step in self.steps if step.result != "invalid"]


def loads_of(steps: Sequence[Step]) -> tuple[Tried, ...]:
    """The loads of `steps`, the lowest first."""
    loads = sorted({step.load for step in steps})
    return tuple(Tried(load, tuple(step for step in steps if step.load == load)) for load in loads)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
