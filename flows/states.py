"""The final states of flows: what was measured decides them, once, in the flow that the user began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Crashed, Failed

from nightbench.capacity.answer import answer_of, ended_of, exit_code_of
from nightbench.capacity.finding import Found
from nightbench.errors import ExitCode
from nightbench.outcome import NightOutcome
from nightbench.verdict.verdict import State as VerdictState
from tasks.crashed import INTERRUPTED

TARGET_MISSED = "TargetMissed"
REGRESSION = "Regression"
INVALID = "Invalid"
TOO_LATE = "TooLate"
SLOT_TAKEN = "SlotTaken"
REFUSED = "Refused"
_NAMES: Mapping[VerdictState, str] = {"missed": TARGET_MISSED, "regression": REGRESSION, "invalid": INVALID}
OUTCOMES = frozenset((*_NAMES.values(), REFUSED))
"""Final states that tell of what was measured, or why nothing was: the flow itself did what it should."""


def failed_state(outcome: NightOutcome) -> State[Any] | None:
    """The final state of a flow whose outcome is no pass; None for a pass."""
    if outcome.state == "met":
        return None
    name = REFUSED if outcome.exit_code is ExitCode.WRONG_USE else _NAMES[outcome.state]
    return Failed(name=name, message="\n".join(outcome.shortcomings))


def refused_state(why: str) -> State[Any]:
    """The final state of a run that cannot be what was asked for, as a setting, plan, target or subject is wrong."""
    return Failed(name=REFUSED, message=why)


def too_late_state(why: str) -> State[Any]:
    """The final state of a scheduled run that is given up since it is long past its time."""
    return Cancelled(name=TOO_LATE, message=why)


def slot_taken_state(why: str) -> State[Any]:
    """The final state of a run that waited in vain for another one to end, and measured nothing."""
    return Failed(name=SLOT_TAKEN, message=why)


def cancelled_state(kept: str) -> State[Any]:
    """The final state of a run that a user has cancelled; the hook for crashes is none of its business."""
    return Cancelled(message=f"cancelled; {kept}")


def cancelled_at_once_state(kept: str) -> State[Any]:
    """The final state of one that did not end early in time."""
    return Cancelled(message=f"cancelled, at once; {kept}; what ran then is lost")


def interrupted_state(kept: str) -> State[Any]:
    """The final state of a run that something else has ended early, and that has told of it itself."""
    return Crashed(name=INTERRUPTED, message=f"told to end; {kept}")


def crashed_state(kept: str) -> State[Any]:
    """The final state of one that had to end at once: the hook for crashes tells."""
    return Crashed(message=f"told to end at once; {kept}; what ran then is lost")


def capacity_state(found: Found, outcome: NightOutcome) -> State[Any] | None:
    """The final state of a search: its answer, or why there is none that can be relied on."""
    match exit_code_of(found, outcome.failures):
        case ExitCode.MET:
            return Completed(message=answer_of(found))
        case ExitCode.MISSED:
            name = TARGET_MISSED
        case _:
            name = INVALID
    return Failed(name=name, message="\n".join((answer_of(found), ended_of(found), *outcome.notes)))
