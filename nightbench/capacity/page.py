"""What a search found as a page of markdown, for the UI of a Prefect server."""

from __future__ import annotations

from nightbench.capacity.answer import answer_of, ended_of, loaded
from nightbench.capacity.finding import Found
from nightbench.capacity.search import Step
from nightbench.capacity.step_plan import unit_of
from nightbench.report.layout import number
from nightbench.report.markdown import code, items, page, said, table
from nightbench.report.overview import MAIN

_MARKS = {"met": "✓ kept", "missed": "✗ missed", "invalid": "? invalid"}


def capacity_page(found: Found, picture: str = "") -> str:
    """The answer, why the search ended, and each load that was tried with what spoke against it.

    Args:
        found: By the search.
        picture: The chart of the knee, as markdown.
    """
    return page(
        f"# {said(answer_of(found))}",
        said(ended_of(found)),
        picture,
        table(
            (
                "step",
                unit_of(found.suite),
                "targets",
                "P95 response",
                f"{MAIN[found.suite]} success",
                "what broke",
                "seconds",
            ),
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
