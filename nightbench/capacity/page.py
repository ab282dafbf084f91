"""What a search found, as a sentence and as a page of markdown for the UI of a Prefect server."""

from __future__ import annotations

from nightbench.capacity.finding import Found
from nightbench.capacity.search import Capacity, Next, Step
from nightbench.capacity.step_plan import unit_of
from nightbench.plan import Suite
from nightbench.report.layout import number
from nightbench.report.markdown import code, items, page, said, table
from nightbench.wording import amount

INTERRUPTED = "interrupted before there was an answer"

_MARKS = {"met": "✓ kept", "missed": "✗ missed", "invalid": "? invalid"}


def answer_of(found: Found) -> str:
    """The answer in one line of plain text: ``websocket: 312 users kept the targets, 322 did not``."""
    if found.answer is None:
        return f"{found.suite}: {INTERRUPTED}"
    load, below = found.answer.load, found.answer.below
    if load is None:
        refused = "" if below is None else f"{loaded(found.suite, below)} did not keep the targets"
        text = refused or "nothing could be measured"
    elif below is None:
        text = f"at least {loaded(found.suite, load)} kept the targets"
    else:
        text = f"{loaded(found.suite, load)} kept the targets, {below} did not"
    sure = "" if found.answer.confirmed else " (not confirmed)"
    return f"{found.suite}: {text}{sure}"


def loaded(suite: Suite, load: int) -> str:
    """A load with its unit: ``1 user``, ``50 queries/s``."""
    return amount(load, "user") if suite == "websocket" else f"{load} {unit_of(suite)}"


def step_line(suite: Suite, due: Next, step: Step) -> str:
    """A step in one line of a log: ``websocket: 200 users (step up): missed, in 34 s: …``."""
    why = f": {'; '.join(step.reasons)}" if step.reasons else ""
    return f"{suite}: {loaded(suite, step.load)} ({due.why}): {step.result}, in {step.seconds:.0f} s{why}"


def capacity_page(found: Found) -> str:
    """The answer, why the search ended, and each load that was tried with what spoke against it."""
    return page(
        f"# {said(answer_of(found))}",
        said(_ended(found.answer)),
        table(
            ("step", unit_of(found.suite), "targets", "P95 response", "success", "what broke", "seconds"),
            (_row(place, step) for place, step in enumerate(found.steps, start=1)),
            left=0,
        )
        if found.steps
        else "",
        "## Why" if any(step.reasons for step in found.steps) else "",
        items(
            said(f"{loaded(found.suite, step.load)}, step {place}: {'; '.join(step.reasons)}")
            for place, step in enumerate(found.steps, start=1)
            if step.reasons
        ),
    )


def _ended(answer: Capacity | None) -> str:
    return INTERRUPTED if answer is None else f"The search ended: {answer.ended}."


def _row(place: int, step: Step) -> tuple[str, ...]:
    return (
        str(place),
        str(step.load),
        _MARKS[step.result],
        number(step.p95_ms, "ms"),
        number(step.success, "%"),
        ", ".join(code(metric) for metric in step.broke),
        f"{step.seconds:.0f}",
    )
