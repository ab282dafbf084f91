"""The final states of flows: what was measured decides them, once, in the flow that the user began."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Failed

from nightbench.errors import ExitCode
from nightbench.outcome import NightOutcome

TARGET_MISSED = "TargetMissed"
REGRESSION = "Regression"
INVALID = "Invalid"
OUTCOMES = frozenset({TARGET_MISSED, REGRESSION, INVALID})
"""Final states that tell of what was measured: the flow itself did what it should."""


def failed_state(outcome: NightOutcome) -> State[Any] | None:
    """The final state of a flow whose outcome is no pass; None for a pass."""
    match outcome.exit_code:
        case ExitCode.MET:
            return None
        case ExitCode.MISSED:
            missed = any(verdict.state == "missed" for verdict in outcome.verdicts)
            name = TARGET_MISSED if missed else REGRESSION
        case _:
            name = INVALID
    return Failed(name=name, message="\n".join(outcome.shortcomings))
