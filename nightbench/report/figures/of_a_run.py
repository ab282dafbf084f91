"""All figures that explain a run, in the order in which a reader asks: what, when, how else, what failed, where, who."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from altair.utils.schemapi import debug_mode

from nightbench.history.runs import StoredRun
from nightbench.report.charts.figure import Figure
from nightbench.report.figures.course import MOST_PARTS, Course, course_of
from nightbench.report.figures.distribution import distribution
from nightbench.report.figures.errors import errors
from nightbench.report.figures.generator import generator
from nightbench.report.figures.heat_map import heat_map
from nightbench.report.figures.over_time import over_time
from nightbench.report.figures.time_by_part import time_by_part
from nightbench.report.figures.words import latency_of
from nightbench.report.overview import MAIN

MOST_WINDOWS = 2_000
"""Windows of earlier nights that are decoded, of the last nights first: it takes a third of a second."""


def figures_of_run(run: StoredRun, earlier: Sequence[StoredRun]) -> tuple[Figure, ...]:
    """The figures of a run; what there is nothing of is left out, as is what cannot be read.

    Args:
        run: Of the last night.
        earlier: Of the nights of its baseline, oldest first; may be empty. The last run of each night is looked
            into, of as many nights as `MOST_WINDOWS` allow.
    """
    with debug_mode(False):  # Altair would hold each part against its schema, for a fifth of the time
        return tuple(figure for figure in _figures(run, earlier) if figure is not None)


def _figures(run: StoredRun, earlier: Sequence[StoredRun]) -> list[Figure | None]:
    operation = MAIN.get(run.suite)
    found = [] if operation is None else _of_times(run, operation, earlier)
    found += [errors(run), time_by_part(run), generator(run)]
    if operation is not None and (course := _readable(run, operation, "send_lag")) is not None:
        found.append(over_time(run, course, key="send-lag", what="Lateness of sends over the run"))
    return found


def _of_times(run: StoredRun, operation: str, earlier: Sequence[StoredRun]) -> list[Figure | None]:
    course = _readable(run, operation, "response_time")
    if course is None:
        return []
    latency = latency_of(operation)
    before = _of_nights(earlier, operation)
    return [
        over_time(run, course, key="over-time", what=f"{latency} over the run"),
        heat_map(run, course, what=f"Heat map of {latency.lower()}"),
        distribution(run, course, before, what=f"Distribution of {latency.lower()}"),
    ]


def _of_nights(earlier: Iterable[StoredRun], operation: str) -> list[Course]:
    """One course a night, oldest first: the night is what differs, more than its blocks."""
    nights = {str(run.row.get("night_id")): run for run in earlier}
    found: list[Course] = []
    left = MOST_WINDOWS
    for run in reversed(nights.values()):
        left -= _windows(run, operation)
        if left < 0 and found:
            break
        if (course := _readable(run, operation, "response_time", most=1)) is not None:
            found.append(course)
    return found[::-1]


def _windows(run: StoredRun, operation: str) -> int:
    windows = run.windows
    return int((windows["operation"].eq(operation) & windows["quantity"].eq("response_time")).sum())


def _readable(run: StoredRun, operation: str, quantity: str, *, most: int = MOST_PARTS) -> Course | None:
    try:
        return course_of(run.windows, operation, quantity, most=most)
    except ValueError:  # no histogram
        return None
