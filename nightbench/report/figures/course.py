"""How one quantity of a stored run went: its windows, put together to as many as a chart has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightbench.load.histogram import HIGHEST_OF_BUCKET_US, LOWEST_OF_BUCKET_US, Histogram
from nightbench.report.layout import count as counted
from nightbench.verdict.sets.windowed import NEVER_CAME, RunCounts, StoredWindow, counters_of

MOST_PARTS = 120
"""More are narrower than an eye tells apart at the width of a chart."""

_STEPS = (1, 2, 3, 5)

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """One quantity in a part of a run.

    Attributes:
        second: Where it begins, since the measure phase began; see `nightbench.load.windows.Window`.
        counters: Of each bucket of `nightbench.load.histogram`, and behind these of what never came.
    """

    second: int
    counters: Integers

    @property
    def n(self) -> int:
        """Samples, with those that never came."""
        return int(self.counters.sum())

    @property
    def never(self) -> int:
        """Samples that never came."""
        return int(self.counters[NEVER_CAME])

    def quantiles_ms(self, quantiles: Sequence[float]) -> tuple[float | None, ...]:
        """In ms; None for one with too few samples, or whose rank falls among those that never came."""
        histogram = histogram_of(self.counters)
        return tuple(histogram.quantile_ms(each) for each in quantiles)


@dataclass(frozen=True, eq=False)
class Course:
    """One quantity of one run.

    Attributes:
        parts: Those with samples, in order of time; at least one.
        seconds: How wide each is.
    """

    parts: tuple[Part, ...]
    seconds: int

    @property
    def first(self) -> int:
        """The second that it begins with."""
        return self.parts[0].second

    @property
    def end(self) -> int:
        """The second that it ends before."""
        return self.parts[-1].second + self.seconds

    @property
    def whole(self) -> Part:
        """All of it."""
        return Part(self.first, np.sum([part.counters for part in self.parts], axis=0))

    def every_part(self) -> Iterator[Part]:
        """The parts, with empty ones where nothing was scheduled."""
        known = {part.second: part for part in self.parts}
        nothing = np.zeros(NEVER_CAME + 1, np.int64)
        for second in range(self.first, self.end, self.seconds):
            yield known.get(second) or Part(second, nothing)

    def span(self, second: int) -> str:
        """``second 12``, or ``seconds 10 to 14``."""
        last = second + self.seconds - 1
        return (
            f"second {counted(second)}"
            if self.seconds == 1
            else f"seconds {counted(second)} to {counted(last)}"
        )


def course_of(
    windows: pd.DataFrame, operation: str, quantity: str, *, most: int = MOST_PARTS
) -> Course | None:
    """One quantity of a run in at most `most` parts of one width; None without samples.

    Args:
        windows: Of the run; see `nightbench.history.runs.StoredRun`.
        operation: For example ``message``.
        quantity: For example ``response_time``.
        most: How many parts.

    Raises:
        ValueError: when a histogram cannot be decoded.
    """
    of_it = windows[windows["operation"].eq(operation) & windows["quantity"].eq(quantity)]
    rows = cast("list[StoredWindow]", list(of_it.itertuples(index=False)))
    if not rows:
        return None
    width = max(1, int(of_it["seconds"].max()))
    first, last = (int(edge) for edge in (of_it["second"].min(), of_it["second"].max()))
    seconds = next(step for step in _widths(width) if last // step - first // step < most)
    origin = first if first == last else 0  # a single window begins where it does
    parts: dict[int, Integers] = {}
    for row in rows:
        begin = (int(row.second) - origin) // seconds * seconds + origin
        counters = counters_of(row)
        if begin in parts:
            parts[begin] += counters
        else:
            parts[begin] = counters
    filled = tuple(Part(second, parts[second]) for second in sorted(parts) if parts[second].any())
    return Course(filled, seconds) if filled else None


def merged(courses: Sequence[Course]) -> Part:
    """All samples of several courses; at least one."""
    return Part(courses[0].first, np.sum([course.whole.counters for course in courses], axis=0))


def run_counts(course: Course) -> RunCounts:
    """The parts of a course as the windows of a run."""
    buckets = [np.flatnonzero(part.counters) for part in course.parts]
    return RunCounts(
        np.repeat(np.arange(len(buckets)), [places.size for places in buckets]),
        np.concatenate(buckets),
        np.concatenate([part.counters[places] for part, places in zip(course.parts, buckets, strict=True)]),
        len(buckets),
    )


def histogram_of(counters: Integers) -> Histogram:
    """Counters as a histogram, whose sum and ends are those of its buckets: what is stored has no others."""
    counts, filled = counters[:NEVER_CAME], np.flatnonzero(counters[:NEVER_CAME])
    known = bool(filled.size)
    return Histogram(
        counts=counts,
        n=int(counts.sum()),
        beyond=int(counters[NEVER_CAME]),
        sum_ns=int(counts @ HIGHEST_OF_BUCKET_US) * 1000,
        min_ns=int(LOWEST_OF_BUCKET_US[filled[0]]) * 1000 if known else None,
        max_ns=int(HIGHEST_OF_BUCKET_US[filled[-1]]) * 1000 if known else None,
    )


def _widths(width: int) -> Iterator[int]:
    """Multiples of a window's width that people take: 1, 2, 3, 5, 10, …"""
    return (width * step * 10**power for power in count() for step in _STEPS)
