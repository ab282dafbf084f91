"""The instants of operations, folded second by second into histograms of their quantities."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from nightbench.load.histogram import Histogram, bucket_indices, encode_counts
from nightbench.load.phases import SECOND

NOT_REACHED = -1
"""In the place of an instant: a quantity that begins or ends there has no sample of this operation."""
NEVER = -2
"""In the place of an instant that was due and never came: what ends there took longer than all that ended,
by nobody knows how much; nothing begins there."""


@dataclass(frozen=True)
class Window:
    """One quantity of one operation in one second.

    Attributes:
        second: Seconds since the measure phase began, of the instant at which the operations were
            *scheduled*; negative for connections, which are made before it.
        operation: For example ``message``.
        quantity: For example ``response_time``.
        n: Samples. Those that the histogram does not hold were due and never came: they are longer than all
            that it holds.
        histogram: HdrHistogram V2, base64, values in µs.
    """

    second: int
    operation: str
    quantity: str
    n: int
    histogram: bytes


@dataclass(frozen=True)
class Times:
    """What a timeline holds, as plain data: totals by ``operation.quantity``, and the single seconds."""

    totals: Mapping[str, Histogram]
    windows: tuple[Window, ...]


class _Second:
    """Sparse counters of one second, small enough to keep one for every second of a long run."""

    __slots__ = ("beyond", "counts", "indices")

    def __init__(self) -> None:
        self.beyond = 0
        self.indices = np.empty(0, dtype=np.uint16)
        self.counts = np.empty(0, dtype=np.uint32)

    def add(self, indices: npt.NDArray[np.int64]) -> None:
        merged, positions = np.unique(np.concatenate([self.indices, indices]), return_inverse=True)
        weights = np.concatenate([self.counts, np.ones(indices.size, dtype=np.uint32)])
        self.counts = np.bincount(positions, weights=weights).astype(np.uint32)
        self.indices = merged.astype(np.uint16)


class Timeline:
    """All counted operations of one kind.

    `record` is called for each operation, from any thread; `fold` about once a second, from one.

    Args:
        instants: Names of the recorded instants in order; the first is the scheduled one. An operation
            that did not reach an instant records `NOT_REACHED` for it, or `NEVER` when it should have.
        quantities: For each ``operation.quantity`` the two instants that it lies between.
        by_second: Which of them are also kept second by second.
    """

    def __init__(
        self,
        instants: Sequence[str],
        quantities: Mapping[str, tuple[str, str]],
        *,
        by_second: Collection[str],
    ) -> None:
        self._width = len(instants)
        self._spans = {
            name: (instants.index(first), instants.index(last)) for name, (first, last) in quantities.items()
        }
        self._pending: deque[tuple[int, ...]] = deque()
        self.record = self._pending.append
        self.totals = {name: Histogram() for name in quantities}
        self._by_second = frozenset(by_second)
        self._seconds: dict[tuple[int, str], _Second] = {}

    def fold(self, origin: int) -> None:
        """Move what was recorded into the histograms; seconds are counted from `origin` (ns)."""
        rows = [self._pending.popleft() for _ in range(len(self._pending))]
        if not rows:
            return
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * self._width)
        columns = flat.reshape(-1, self._width).T
        seconds = (columns[0] - origin) // SECOND
        for name, (first, last) in self._spans.items():
            begun = (columns[first] != NOT_REACHED) & (columns[first] != NEVER)
            ended = begun & (columns[last] != NOT_REACHED) & (columns[last] != NEVER)
            missed = begun & (columns[last] == NEVER)
            values = columns[last][ended] - columns[first][ended]
            self.totals[name].add(values)
            self.totals[name].add_beyond(int(missed.sum()))
            if name in self._by_second:
                self._fold_seconds(name, seconds[ended], bucket_indices(values), seconds[missed])

    def _fold_seconds(
        self,
        name: str,
        seconds: npt.NDArray[np.int64],
        indices: npt.NDArray[np.int64],
        missed: npt.NDArray[np.int64],
    ) -> None:
        """Count the values of one quantity by their `seconds`, and the seconds of what never came."""
        for second in np.unique(seconds):
            self._second(int(second), name).add(indices[seconds == second])
        for second, samples in zip(*np.unique(missed, return_counts=True), strict=True):
            self._second(int(second), name).beyond += int(samples)

    def _second(self, second: int, name: str) -> _Second:
        return self._seconds.setdefault((second, name), _Second())

    def times(self) -> Times:
        """What has been folded; one window for each second and quantity, in order of time."""
        return Times(self.totals, tuple(_window(key, self._seconds[key]) for key in sorted(self._seconds)))


def _window(key: tuple[int, str], counters: _Second) -> Window:
    second, name = key
    operation, _, quantity = name.rpartition(".")
    histogram = encode_counts(counters.indices.astype(np.int64), counters.counts.astype(np.int64))
    return Window(second, operation, quantity, int(counters.counts.sum()) + counters.beyond, histogram)
