"""Where every operation ends up: nothing that was scheduled vanishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """How a scheduled operation ended."""

    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"


# a member of an enum is looked up slowly in Python 3.11, and an operation ends for every message
_OK, _FAILED, _TIMED_OUT = Outcome.OK, Outcome.FAILED, Outcome.TIMED_OUT


@dataclass(slots=True)
class OperationCounts:
    """The account of one operation kind.

    ``scheduled = ok + failed + timed_out + skipped + in_flight`` holds at every instant; `in_flight` is
    counted by itself, up when an operation is scheduled and down when it ends, so that the equation can
    fail and an operation that ended twice or never is found.
    """

    scheduled: int = 0
    ok: int = 0
    failed: int = 0
    timed_out: int = 0
    skipped: int = 0
    in_flight: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def schedule(self, number: int = 1) -> None:
        """Operations became due."""
        self.scheduled += number
        self.in_flight += number

    def end(self, outcome: Outcome, error: str | None = None, number: int = 1) -> None:
        """Scheduled operations ended; everything but OK names its error class."""
        if (outcome is _OK) != (error is None):
            msg = f"{outcome} with error {error!r}: every failure names its class, a success has none"
            raise ValueError(msg)
        self.in_flight -= number
        if error is None:
            self.ok += number
            return
        self.errors[error] += number
        if outcome is _FAILED:
            self.failed += number
        elif outcome is _TIMED_OUT:
            self.timed_out += number
        else:
            self.skipped += number

    def check(self, operation: str) -> None:
        """Raise AssertionError unless the account is whole."""
        ended = self.ok + self.failed + self.timed_out + self.skipped
        whole = (
            self.scheduled == ended + self.in_flight
            and self.in_flight >= 0
            and self.errors.total() == ended - self.ok
        )
        if not whole:
            msg = f"the account of {operation!r} does not add up: {self}"
            raise AssertionError(msg)

    def __add__(self, other: OperationCounts) -> OperationCounts:
        return OperationCounts(
            scheduled=self.scheduled + other.scheduled,
            ok=self.ok + other.ok,
            failed=self.failed + other.failed,
            timed_out=self.timed_out + other.timed_out,
            skipped=self.skipped + other.skipped,
            in_flight=self.in_flight + other.in_flight,
            errors=self.errors + other.errors,
        )

    @property
    def failures(self) -> int:
        """Everything that ended in any way but well."""
        return self.failed + self.timed_out + self.skipped

    @property
    def success_rate(self) -> float | None:
        """Percent of the scheduled that ended well; None when nothing was scheduled."""
        return 100 * self.ok / self.scheduled if self.scheduled else None


class Ledger:
    """The accounts of every operation kind: those that count, and those of ramp and warm-up."""

    def __init__(self, *operations: str) -> None:
        self.counted = {operation: OperationCounts() for operation in operations}
        self.uncounted = {operation: OperationCounts() for operation in operations}

    def account(self, operation: str, *, counted: bool) -> OperationCounts:
        """The account that an operation belongs to for its whole life."""
        return (self.counted if counted else self.uncounted)[operation]

    @property
    def failures(self) -> int:
        """Failed, timed-out and skipped operations of every kind."""
        return sum(counts.failures for counts in (*self.counted.values(), *self.uncounted.values()))


def added(accounts: Sequence[dict[str, OperationCounts]]) -> dict[str, OperationCounts]:
    """The accounts of several ledgers together, operation by operation; all have the same ones."""
    return {
        operation: sum((each[operation] for each in accounts), OperationCounts()) for operation in accounts[0]
    }
