"""The verdict on one suite, and the exit code of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nightbench.errors import ExitCode
from nightbench.measurement import Measurement
from nightbench.verdict.comparison import Comparison
from nightbench.verdict.targets import TargetResult, leaked

State = Literal["met", "missed", "invalid"]


@dataclass(frozen=True)
class SuiteVerdict:
    """What came of one suite of one tier.

    Attributes:
        measurement: What was measured, shown whatever the state.
        targets: Every promise and whether it was kept.
        comparison: The change against earlier runs; it informs and does not gate.
    """

    measurement: Measurement
    targets: tuple[TargetResult, ...]
    comparison: Comparison = field(default_factory=Comparison)

    @property
    def trusted(self) -> bool:
        """Whether the measurement is valid and complete, so that its targets mean something."""
        validity = self.measurement.validity
        return validity.valid and validity.complete

    @property
    def leaked(self) -> bool:
        """Whether a row of another tenant was read; that stays true however bad the measurement is."""
        return leaked(self.measurement)

    @property
    def missed(self) -> tuple[TargetResult, ...]:
        """The targets that were not met, for what they are worth."""
        return tuple(target for target in self.targets if not target.met)

    @property
    def state(self) -> State:
        """``invalid`` is neither a pass nor a fail; a leaked row is a fail in any case."""
        if self.leaked:
            return "missed"
        if not self.trusted:
            return "invalid"
        return "missed" if self.missed else "met"


def exit_code(verdicts: Iterable[SuiteVerdict], unreadable: int = 0) -> ExitCode:
    """The exit code of a run.

    What is certain comes first: a missed target of a valid measurement. Nothing measured is no pass.

    Args:
        verdicts: One for each suite that ran.
        unreadable: Files of the history that could not be read.
    """
    states = [verdict.state for verdict in verdicts]
    if "missed" in states:
        return ExitCode.MISSED
    if "invalid" in states or unreadable or not states:
        return ExitCode.INVALID
    return ExitCode.MET
