"""The instants of operations, folded into histograms of their quantities: in total and by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from nightbench.load.histogram import Histogram, bucket_indices
from nightbench.load.phases import SECOND
from nightbench.load.windows import ENTRIES, WholeRun, Window, WindowCounter, WindowCounts

NOT_REACHED = -1
"""In the place of an instant: a quantity that begins or ends there has no sample of this operation."""
NEVER = -2
"""In the place of an instant that was due and never came: what ends there took longer than all that ended,
by nobody knows how much; nothing begins there."""


@dataclass(frozen=True, eq=False)
class Times:
    """What a timeline holds, as plain data that travels between processes and is encoded at the end.

    Attributes:
        totals: Of the whole run, by ``operation.quantity``.
        by_second: Of the quantities that are kept by windows, the same names.
        first_second: In which an operation was scheduled, from the start of the measure phase.
        last_second: The last one of them; before the first when there were no operations.
    """

    totals: Mapping[str, Histogram]
    by_second: Mapping[str, WindowCounts]
    first_second: int = 0
    last_second: int = -1

    @classmethod
    def merged(cls, parts: Sequence[Times]) -> Times:
        """The times of the operations of all `parts`, exactly as one timeline would hold them.

        Args:
            parts: At least one, all of the same quantities, such as those of the shards of one run.

        Raises:
            ValueError: when their quantities differ.
        """
        shape = (parts[0].totals.keys(), parts[0].by_second.keys())
        if any((part.totals.keys(), part.by_second.keys()) != shape for part in parts):
            msg = "times of different quantities cannot be merged"
            raise ValueError(msg)
        filled = [part for part in parts if part.first_second <= part.last_second] or parts
        return cls(
            {name: Histogram.merged(part.totals[name] for part in parts) for name in parts[0].totals},
            {name: WindowCounts.merged([part.by_second[name] for part in parts]) for name in shape[1]},
            min(part.first_second for part in filled),
            max(part.last_second for part in filled),
        )

    def series(self) -> dict[str, WindowCounts | WholeRun]:
        """Every quantity by ``operation.quantity``; each adds up to its total.

        What is not kept by windows is one for the whole run.
        """
        seconds = self.last_second - self.first_second + 1
        return {
            name: self.by_second[name]
            if name in self.by_second
            else WholeRun.of(total, self.first_second, seconds)
            for name, total in self.totals.items()
        }

    def windows(self) -> tuple[Window, ...]:
        """Every quantity encoded, in order of time; see `nightbench.load.fitting` for what a file holds."""
        return tuple(window for name, series in self.series().items() for window in series.windows(name))


class Timeline:
    """All counted operations of one kind.

    `record` is called for each operation, from any thread; `fold` about once a second, from one.

    Args:
        instants: Names of the recorded instants in order; the first is the scheduled one. An operation
            that did not reach an instant records `NOT_REACHED` for it, or `NEVER` when it should have.
        quantities: For each ``operation.quantity`` the two instants that it lies between.
        by_second: Which of them are also kept by windows, at first of one second.
        entries: How many counters each of those may have before its windows become wider.
    """

    def __init__(
        self,
        instants: Sequence[str],
        quantities: Mapping[str, tuple[str, str]],
        *,
        by_second: Collection[str],
        entries: int = ENTRIES,
    ) -> None:
        self._width = len(instants)
        self._firsts = [instants.index(first) for first, _ in quantities.values()]
        self._lasts = [instants.index(last) for _, last in quantities.values()]
        self._pending: deque[tuple[int, ...]] = deque()
        self.record = self._pending.append
        self.totals = {name: Histogram() for name in quantities}
        self._counters = {name: WindowCounter(entries) for name in quantities if name in by_second}
        self._first_second, self._last_second = 0, -1

    def fold(self, origin: int) -> None:
        """Move what was recorded into the histograms; seconds are counted from `origin` (ns)."""
        rows = [self._pending.popleft() for _ in range(len(self._pending))]
        if not rows:
            return
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * self._width)
        self.add(np.ascontiguousarray(flat.reshape(-1, self._width).T), origin)

    def add(self, columns: npt.NDArray[np.int64], origin: int) -> None:
        """Count operations at once, as `record` and `fold` do.

        Args:
            columns: A row for each instant, in it each operation's.
            origin: From which seconds are counted (ns).
        """
        if not columns.shape[1]:
            return
        seconds = (columns[0] - origin) // SECOND
        self._stretch(int(seconds.min()), int(seconds.max()))
        never = columns == NEVER
        reached = ~never & (columns != NOT_REACHED)
        # one pass over all quantities: a row each
        begun = reached[self._firsts]
        ended = begun & reached[self._lasts]
        missed = begun & never[self._lasts]
        spans = columns[self._lasts] - columns[self._firsts]
        buckets = bucket_indices(spans)
        some_missed, all_ended = missed.any(axis=1), ended.all(axis=1)
        for row, name in enumerate(self.totals):
            here = slice(None) if all_ended[row] else ended[row]
            self._fold_ended(name, seconds[here], buckets[row][here], spans[row][here])
            if some_missed[row]:
                self._fold_missed(name, seconds[missed[row]])

    def _stretch(self, first: int, last: int) -> None:
        """The seconds from `first` to `last` belong to the run."""
        empty = self._first_second > self._last_second
        self._first_second = first if empty else min(self._first_second, first)
        self._last_second = last if empty else max(self._last_second, last)

    def _fold_ended(
        self,
        name: str,
        seconds: npt.NDArray[np.int64],
        buckets: npt.NDArray[np.int64],
        spans: npt.NDArray[np.int64],
    ) -> None:
        self.totals[name].add_to(buckets, spans)
        if name in self._counters:
            self._counters[name].add(seconds, buckets)

    def _fold_missed(self, name: str, seconds: npt.NDArray[np.int64]) -> None:
        self.totals[name].add_beyond(seconds.size)
        if name in self._counters:
            self._counters[name].add_beyond(seconds)

    def times(self) -> Times:
        """What has been folded, by now: later folds do not change it."""
        return Times(
            {name: Histogram.merged([total]) for name, total in self.totals.items()},
            {name: counter.counts() for name, counter in self._counters.items()},
            self._first_second,
            self._last_second,
        )
