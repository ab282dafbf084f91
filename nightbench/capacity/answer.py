"""What a search found, in words and as an exit code."""

from __future__ import annotations

from collections.abc import Collection

from nightbench.capacity.finding import Found
from nightbench.capacity.interval import CERTAINTY, interval_of
from nightbench.capacity.search import Step
from nightbench.capacity.step_plan import unit_of
from nightbench.errors import ExitCode
from nightbench.plan import Suite
from nightbench.verdict.targets import LEAKED_ROWS
from nightbench.wording import amount

LEAKED = "rows of other tenants were read, which no load excuses"


def answer_of(found: Found) -> str:
    """The answer in one line of plain text.

    ``websocket: 312 users kept the targets, 322 did not; the knee lies between 302 and 335 (95 %)``.
    """
    notes = [
        *(["interrupted"] if found.interrupted else []),
        *([] if found.answer.confirmed or found.interrupted else ["not confirmed"]),
        *([LEAKED] if has_leaked(found) else []),
    ]
    text = f"{found.suite}: {_known(found)}"
    return f"{text} ({'; '.join(notes)})" if notes else text


def ended_of(found: Found) -> str:
    """Why the search ended, as a sentence."""
    return f"The search ended: {found.answer.ended}."


def exit_code_of(found: Found, failures: Collection[object] = ()) -> ExitCode:
    """0 for a load that keeps the targets, 1 when surely none does, 3 for whatever is not sure.

    A row of another tenant is certain, as in any run: 1, whatever else was found.

    Args:
        found: By the search.
        failures: What else went wrong, such as a step that could not be kept: a pass is none then.
    """
    if has_leaked(found):
        return ExitCode.MISSED
    if found.interrupted or not found.answer.confirmed:
        return ExitCode.INVALID
    if found.answer.load is None:
        return ExitCode.MISSED
    return ExitCode.INVALID if failures else ExitCode.MET


def has_leaked(found: Found) -> bool:
    """Whether a step read a row of another tenant."""
    return any(LEAKED_ROWS in step.broke for step in found.steps)


def loaded(suite: Suite, load: int) -> str:
    """A load with its unit: ``1 user``, ``50 queries/s``."""
    return amount(load, "user") if suite == "websocket" else f"{load} {unit_of(suite)}"


def step_line(suite: Suite, step: Step) -> str:
    """A step in one line of a log: ``websocket: 200 users (step up): missed, in 34 s: …``."""
    why = f": {'; '.join(step.reasons)}" if step.reasons else ""
    return f"{suite}: {loaded(suite, step.load)} ({step.why}): {step.result}, in {step.seconds:.0f} s{why}"


def _known(found: Found) -> str:
    load, below = found.answer.load, found.answer.below
    if load is None:
        return (
            "nothing could be measured"
            if below is None
            else f"not even {_loaded(found, below)} kept the targets"
        )
    if below is None:
        return f"at least {_loaded(found, load)} kept the targets"
    low, high = interval_of(found.steps, found.answer)
    knee = f"the knee lies between {low} and {high} ({CERTAINTY:.0%})".replace("%", " %")
    return f"{_loaded(found, load)} kept the targets, {below} did not; {knee}"


def _loaded(found: Found, load: int) -> str:
    return loaded(found.suite, load)
