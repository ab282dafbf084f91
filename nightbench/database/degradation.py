"""Did the database get slower while it was loaded? Response times and throughput over the run, and their trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nightbench.database.slices import Slices
from nightbench.database.trend import Trend, trend
from nightbench.load.histogram import Histogram, Nanoseconds, samples_needed
from nightbench.load.phases import SECOND
from nightbench.load.timeline import NEVER

PARTS = 20
"""In how many parts a run is looked at; fewer when they would be too short."""
FEWEST_PARTS = 5
_TENTH = PARTS // 10


@dataclass(frozen=True)
class Tenth:
    """A tenth of a run.

    Attributes:
        response_time: Of a tenth of the operations, by their order.
        throughput: What ended well in a tenth of the time, per second; None in a run without length.
        ok: How many that were.
    """

    response_time: Histogram
    throughput: float | None
    ok: int


@dataclass(frozen=True, eq=False)
class Course:
    """How a run went: plain data that travels between processes.

    Attributes:
        operations: How many operations the measure phase has by its plan, of all shards.
        response_times: Of each twentieth of these, by their order; see `Histogram.beyond` for those that never
            came. What failed is in none of them.
        completions: When operations ended well from the begin of the measure phase on, also those of the warm-up:
            at its begin, as at its end, the workers are at something.
        until: When the last of the operations was due, ns since the measure phase began; of several shards, of
            the one that was done first. What ends later ends while fewer and fewer are asked for.
        late: How many ended well later than that, and are not in `completions`.
    """

    operations: int
    response_times: tuple[Histogram, ...]
    completions: Slices
    until: int
    late: int = 0

    @classmethod
    def merged(cls, parts: Sequence[Course]) -> Course:
        """The course of a run by those of its shards, at least one."""
        return replace(
            parts[0],
            response_times=tuple(
                Histogram.merged(each) for each in zip(*(part.response_times for part in parts), strict=True)
            ),
            completions=Slices.merged([part.completions for part in parts]),
            until=min((part.until for part in parts if part.until), default=0),
            late=sum(part.late for part in parts),
        )

    # response time

    @property
    def quantile(self) -> float:
        """By which parts are compared: 0.95, or 0.5 where there are fewer than 100 operations."""
        enough = self.operations >= FEWEST_PARTS * samples_needed(0.95)
        return 0.95 if enough else 0.5

    def response_ms(self) -> list[float]:
        """The `quantile` of the response time in each part of the run that has enough operations for it, in order.

        A part has at least 20 operations for P95 and 2 for the median. Infinite where the quantile falls among
        operations that never came.
        """
        enough = samples_needed(self.quantile)
        parts = _parts(self.operations, enough)
        width = PARTS // parts
        merged = (
            Histogram.merged(self.response_times[first : first + width]) for first in range(0, PARTS, width)
        )
        values = (part.quantile_ms(self.quantile) for part in merged if part.total >= enough)
        return [math.inf if value is None else value for value in values]

    @property
    def growth(self) -> Trend | None:
        """The trend of the response time in percent of its median over the parts; None when they are too few."""
        values = self.response_ms()
        return trend(values, level=float(np.median(values))) if values else None

    # throughput

    def throughputs(self) -> list[float]:
        """What ended well per second in each equal part of the time until the last operation was due, in order.

        A part has at least 20 of what ended well where that are 100, else at least 2, but for what ended later;
        there is none where fewer than 10 did, or nobody had to wait for the last one to be due.
        """
        ok = self._ok
        enough = samples_needed(0.95 if ok >= FEWEST_PARTS * samples_needed(0.95) else 0.5)
        if ok < FEWEST_PARTS * enough or not self.until:
            return []
        parts = _parts(ok, enough)
        seconds = self.until / parts / SECOND
        return [float(each) / seconds for each in self.completions.evenly(parts, until=self.until)]

    @property
    def decline(self) -> Trend | None:
        """The trend of the throughput in percent of its mean; None when too few ended well before the last was due."""
        values = self.throughputs()
        return trend(values, level=float(np.mean(values))) if values else None

    @property
    def sure_decline(self) -> float | None:
        """By how many percent of its mean the throughput surely fell; None when fewer than 10 operations ended well.

        It did not surely fall where all operations were due at once, or none ended before the last one was due.
        """
        if self._ok < FEWEST_PARTS * samples_needed(0.5):
            return None
        decline = self.decline
        return decline.fall if decline is not None else 0.0

    @property
    def _ok(self) -> int:
        return int(self.completions.counts.sum()) + self.late

    # side by side

    @property
    def first_tenth(self) -> Tenth:
        """Of the operations, and of the time until the last of them was due."""
        return self._tenth(0)

    @property
    def last_tenth(self) -> Tenth:
        """Likewise."""
        return self._tenth(9)

    def _tenth(self, number: int) -> Tenth:
        first = number * _TENTH
        response_time = Histogram.merged(self.response_times[first : first + _TENTH])
        if not self.until:
            return Tenth(response_time, None, 0)
        ok = float(self.completions.evenly(10, until=self.until)[number])
        return Tenth(response_time, ok * 10 * SECOND / self.until, round(ok))

    def details(self) -> dict[str, Any]:
        """What is behind the judgement, JSON-like: figures in order, and their trends in percent."""
        return {
            "response_time": {
                "quantile": self.quantile,
                "ms": [value if math.isfinite(value) else None for value in self.response_ms()],
                "trend": _as_details(self.growth),
            },
            "throughput": {"per_second": self.throughputs(), "trend": _as_details(self.decline)},
        }


class CourseRecorder:
    """Makes the course of a run while it goes; used by one thread.

    Args:
        operations: Of the measure phase by its plan, of all shards.
    """

    def __init__(self, operations: int) -> None:
        self._operations = operations
        self._response_times = tuple(Histogram() for _ in range(PARTS))
        self._completions = Slices()
        self._ahead = np.zeros(0, np.int64)
        self._until = 0

    def respond(self, places: Nanoseconds, response_ns: Nanoseconds) -> None:
        """Operations took so long, or `NEVER` came.

        Args:
            places: Of each one among all counted operations of the run, from 0 on.
            response_ns: Of each one.
        """
        parts = places * PARTS // self._operations
        came = response_ns != NEVER
        for part in np.unique(parts):
            histogram, here = self._response_times[part], parts == part
            histogram.add(response_ns[here & came])
            histogram.add_beyond(int((here & ~came).sum()))

    def complete(self, instants: Nanoseconds) -> None:
        """Operations ended well at these instants, ns since the measure phase began; before it does not count."""
        self._ahead = np.concatenate((self._ahead, instants[instants >= 0]))
        self._settle()

    def _settle(self) -> None:
        # what ends in a long drain would only make the slices of a short run wide
        by_now = self._ahead <= self._until
        self._completions = self._completions.plus(self._ahead[by_now])
        self._ahead = self._ahead[~by_now]

    def due(self, instant: int) -> None:
        """An operation of the measure phase was due, ns since that began."""
        self._until = max(self._until, instant)

    def course(self) -> Course:
        """As it was until now."""
        self._settle()
        response_times = tuple(Histogram.merged([each]) for each in self._response_times)
        return Course(
            self._operations, response_times, self._completions, self._until, late=int(self._ahead.size)
        )


def _parts(operations: int, enough: int) -> int:
    """How many parts there are of `operations` when each has at least `enough` of them."""
    return next((parts for parts in (PARTS, PARTS // 2) if operations >= parts * enough), FEWEST_PARTS)


def _as_details(change: Trend | None) -> dict[str, float | None] | None:
    return None if change is None else asdict(change)
