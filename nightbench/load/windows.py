"""How one quantity went over time: sparse counters by window, bounded however long the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from nightbench.load.histogram import LENGTH, ROUNDED_UP, Histogram, encode_counts

Integers = npt.NDArray[np.int64]

ENTRIES = 65_536
"""How many counters of one quantity are kept, 16 bytes each: past it, its windows become twice as wide.

More than two whole histograms have, so that it can always be kept.
"""

_RECENT = 4_096
_BUCKET_BITS = 15
_BUCKET = (1 << _BUCKET_BITS) - 1
_NEVER_CAME = LENGTH  # the bucket behind all others
_ROUNDED_UP = np.append(ROUNDED_UP, _NEVER_CAME)


@dataclass(frozen=True)
class Window:
    """One quantity of one operation in a part of the run.

    Attributes:
        second: The first one that the window covers, in seconds since the measure phase began, of the instants
            at which the operations were *scheduled*; negative for connections, which are made before it.
        seconds: How many it covers, of which some may lie beyond the run. A quantity has either windows of
            one width, a power of two, that begin at its multiples; or a single one, from the first to the last
            second in which any operation of its kind was scheduled.
        operation: For example ``message``.
        quantity: For example ``response_time``.
        n: Samples. Those that the histogram does not hold were due and never came: they are longer than all
            that it holds.
        histogram: HdrHistogram V2, base64, values in µs.
    """

    second: int
    seconds: int
    operation: str
    quantity: str
    n: int
    histogram: bytes


@dataclass(frozen=True, eq=False)
class WindowCounts:
    """The counters of one quantity in windows of one width; plain data.

    The width is the smallest power of two with which there are no more than `limit` counters. Hence it depends
    on the samples alone: not on their order, nor on how they came together. (Where even two windows, before
    the measure phase and from its start, have more, it is the smallest that leaves those two.)

    Attributes:
        keys: Ascending; each is ``window << 15 | bucket``, where the window is the second divided by the width.
        counts: Of each key, never 0.
        seconds: The width.
        limit: See above.
    """

    keys: Integers
    counts: Integers
    seconds: int = 1
    limit: int = ENTRIES

    @classmethod
    def none(cls, limit: int = ENTRIES) -> WindowCounts:
        """Of no samples at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), limit=limit)

    @classmethod
    def merged(cls, parts: Sequence[WindowCounts]) -> WindowCounts:
        """The counters of all samples together, exactly as if they had been counted in one place."""
        # no part is wider than the whole will be, since it has fewer samples
        seconds = max(part.seconds for part in parts)
        return _within_limit(reduce(_joined, [part.widened(seconds // part.seconds) for part in parts]))

    def plus(self, keys: Sequence[Integers]) -> WindowCounts:
        """These with further samples, given as arrays of keys for windows of one second."""
        fresh, counts = np.unique(_widened(np.concatenate(keys), self.seconds), return_counts=True)
        return _within_limit(_joined(self, replace(self, keys=fresh, counts=counts)))

    def widened(self, factor: int = 2) -> WindowCounts:
        """The same in windows `factor` times as wide, a power of two."""
        if factor == 1:
            return self
        return _summed(replace(self, keys=_widened(self.keys, factor), seconds=self.seconds * factor))

    def rounded(self) -> WindowCounts:
        """The same with the durations rounded up to two significant digits, which takes an eighth of the counters."""
        return _summed(replace(self, keys=(self.keys & ~_BUCKET) | _ROUNDED_UP[self.keys & _BUCKET]))

    @property
    def amount(self) -> int:
        """How many windows have samples."""
        return int(np.count_nonzero(np.diff(self.keys >> _BUCKET_BITS))) + 1 if self.keys.size else 0

    @property
    def is_widest(self) -> bool:
        """Whether no window is left but those before and from the start of the measure phase, which stay two."""
        if not self.keys.size:
            return True
        return int(self.keys[0]) >> _BUCKET_BITS >= -1 and int(self.keys[-1]) >> _BUCKET_BITS <= 0

    def windows(self, name: str) -> tuple[Window, ...]:
        """Those that have samples, encoded, in order of time.

        Args:
            name: ``operation.quantity``.
        """
        indices, starts = np.unique(self.keys >> _BUCKET_BITS, return_index=True)
        pieces = zip(
            np.split(self.keys & _BUCKET, starts)[1:], np.split(self.counts, starts)[1:], strict=True
        )
        return tuple(
            _encoded(name, int(index) * self.seconds, self.seconds, buckets, counts)
            for index, (buckets, counts) in zip(indices, pieces, strict=True)
        )


@dataclass(frozen=True, eq=False)
class WholeRun:
    """The counters of one quantity in a single window; see `Window` for its place.

    Attributes:
        buckets: Ascending.
        counts: Of each bucket, never 0.
        second: The first one.
        seconds: How many.
    """

    buckets: Integers
    counts: Integers
    second: int
    seconds: int

    @classmethod
    def of(cls, total: Histogram, second: int, seconds: int) -> WholeRun:
        """What `total` has counted."""
        counts = np.append(total.counts, total.beyond)
        buckets = np.flatnonzero(counts)
        return cls(buckets, counts[buckets], second, seconds)

    def rounded(self) -> WholeRun:
        """The same with the durations rounded up to two significant digits."""
        buckets, places = np.unique(_ROUNDED_UP[self.buckets], return_inverse=True)
        counts = np.zeros(buckets.size, np.int64)
        np.add.at(counts, places, self.counts)
        return replace(self, buckets=buckets, counts=counts)

    def windows(self, name: str) -> tuple[Window, ...]:
        """The one window, encoded; none without samples."""
        if not self.buckets.size:
            return ()
        return (_encoded(name, self.second, self.seconds, self.buckets, self.counts),)


class WindowCounter:
    """Counts the samples of one quantity as they come; used by one thread."""

    def __init__(self, limit: int = ENTRIES) -> None:
        self._counts = WindowCounts.none(limit)
        self._recent: list[Integers] = []
        self._waiting = 0

    def add(self, seconds: Integers, buckets: Integers) -> None:
        """Count samples by the second in which they were scheduled and the counter of their duration."""
        self._take((seconds << _BUCKET_BITS) | buckets)

    def add_beyond(self, seconds: Integers) -> None:
        """Count samples that never came by the second in which they were scheduled."""
        self._take((seconds << _BUCKET_BITS) | _NEVER_CAME)

    def _take(self, keys: Integers) -> None:
        # joining copies all counters: not for a few samples each time
        self._recent.append(keys)
        self._waiting += keys.size
        if self._waiting >= _RECENT:
            self.counts()

    def counts(self) -> WindowCounts:
        """All that have been counted."""
        if self._recent:
            self._counts = self._counts.plus(self._recent)
            self._recent, self._waiting = [], 0
        return self._counts


def _encoded(name: str, second: int, seconds: int, buckets: Integers, counts: Integers) -> Window:
    operation, _, quantity = name.rpartition(".")
    came = int(np.searchsorted(buckets, _NEVER_CAME))
    histogram = encode_counts(buckets[:came], counts[:came])
    return Window(second, seconds, operation, quantity, int(counts.sum()), histogram)


def _widened(keys: Integers, factor: int) -> Integers:
    # a shift takes the earlier window also before the measure phase, where seconds are negative
    shift = factor.bit_length() - 1
    return ((keys >> (_BUCKET_BITS + shift)) << _BUCKET_BITS) | (keys & _BUCKET)


def _within_limit(counts: WindowCounts) -> WindowCounts:
    while counts.keys.size > counts.limit and not counts.is_widest:
        counts = counts.widened()
    return counts


def _joined(counts: WindowCounts, more: WindowCounts) -> WindowCounts:
    """The sum of two of the same width, in time linear in their counters."""
    if not counts.keys.size:
        return more
    places = np.searchsorted(counts.keys, more.keys)
    known = counts.keys[np.minimum(places, counts.keys.size - 1)] == more.keys
    summed = counts.counts.copy()
    summed[places[known]] += more.counts[known]
    fresh = ~known
    return replace(
        counts,
        keys=np.insert(counts.keys, places[fresh], more.keys[fresh]),
        counts=np.insert(summed, places[fresh], more.counts[fresh]),
    )


def _summed(counts: WindowCounts) -> WindowCounts:
    """`counts` with their keys, which have come out of order or occur twice, put right."""
    if not counts.keys.size:
        return counts
    order = np.argsort(counts.keys, kind="stable")
    keys = counts.keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    return replace(counts, keys=keys[first], counts=np.add.reduceat(counts.counts[order], first))
