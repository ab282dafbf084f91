"""Durations as HDR histograms: 3 significant digits from 1 µs to 1 h, merged exactly, never averaged.

The counting is NumPy's, since ``hdrhistogram`` takes 1.7 µs a value in pure Python; encoding and decoding
are ``hdrhistogram``'s, so that any HdrHistogram tool reads what is stored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

Nanoseconds = npt.NDArray[np.int64]

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
SIGNIFICANT_DIGITS = 3

_SUB_BUCKETS = 2048  # the power of two that keeps 3 digits: ≥ 2 × 10³
_HALF = _SUB_BUCKETS // 2
_HALF_BITS = 10
_MANTISSA_BITS, _EXPONENT_BIAS = 52, 1023
_BUCKETS = 1 + math.ceil(math.log2(HIGHEST_US / (_SUB_BUCKETS - 1)))
LENGTH = (_BUCKETS + 1) * _HALF
"""How many counters one histogram has."""


def bucket_indices(values_ns: Nanoseconds) -> npt.NDArray[np.int64]:
    """The counter of each duration, as in HdrHistogram's ``countsArrayIndex``; values are held to the range."""
    micros = np.clip((values_ns + 500) // 1000, LOWEST_US, HIGHEST_US)
    # a double's exponent tells the bit length; every value here is below 2**53, where a double is exact
    exponent = (micros.astype(np.float64).view(np.int64) >> _MANTISSA_BITS) - _EXPONENT_BIAS
    bucket = np.maximum(exponent - _HALF_BITS, 0)
    sub_bucket = micros >> bucket
    indices: npt.NDArray[np.int64] = (bucket + 1) * _HALF + (sub_bucket - _HALF)
    return indices


def _values_us() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    index = np.arange(LENGTH, dtype=np.int64)
    bucket = index // _HALF - 1
    sub_bucket = index % _HALF + _HALF
    first = bucket < 0
    bucket = np.where(first, 0, bucket)
    sub_bucket = np.where(first, sub_bucket - _HALF, sub_bucket)
    lowest = sub_bucket << bucket
    return lowest, lowest + (np.int64(1) << bucket) - 1


LOWEST_OF_BUCKET_US, HIGHEST_OF_BUCKET_US = _values_us()

ROUNDED_UP = np.arange(LENGTH) | np.select(
    [np.arange(LENGTH) >= least for least in (1024, 512, 256)], [0b111, 0b11, 0b1], 0
)
"""For each counter the last one that a histogram of 2 significant digits does not tell from it."""


def samples_needed(quantile: float) -> int:
    """The fewest samples from which a quantile is read: enough that one is expected beyond it.

    n ≥ 1 / (1 − q): 2 for the median, 20 for P95, 100 for P99, 1,000 for P99.9.
    """
    return math.ceil(round(1 / (1 - quantile), 6))


@dataclass
class Histogram:
    """Counts of durations, with their exact sum, smallest and largest value beside them.

    Attributes:
        counts: Of each bucket.
        n: Samples whose duration is known.
        beyond: Samples longer than all of these, by nobody knows how much: what was due and never came. They
            have a rank, so that a percentile is never read from the survivors.
        sum_ns: Of the known durations, as are `min_ns` and `max_ns`.
    """

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LENGTH, dtype=np.int64))
    n: int = 0
    beyond: int = 0
    sum_ns: int = 0
    min_ns: int | None = None
    max_ns: int | None = None

    @property
    def total(self) -> int:
        """Samples of known and of unknown duration."""
        return self.n + self.beyond

    def add(self, values_ns: Nanoseconds) -> None:
        """Count an array of durations in ns; a negative one is an error of the caller."""
        self.add_to(bucket_indices(values_ns), values_ns)

    def add_to(self, indices: npt.NDArray[np.int64], values_ns: Nanoseconds) -> None:
        """As `add`, when the counter of each duration is already known."""
        if values_ns.size == 0:
            return
        lowest, highest = int(values_ns.min()), int(values_ns.max())
        if lowest < 0:
            msg = f"a duration of {lowest} ns: its end lies before its start"
            raise ValueError(msg)
        np.add.at(self.counts, indices, 1)
        self._widen(int(values_ns.size), int(values_ns.sum()), lowest, highest)

    def add_beyond(self, samples: int) -> None:
        """Count samples of unknown duration, longer than all others."""
        self.beyond += samples

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """A new one with the counts of all `parts`."""
        whole = cls()
        for part in parts:
            whole.merge(part)
        return whole

    def merge(self, other: Histogram) -> None:
        """Add the counts of `other` to this one."""
        self.beyond += other.beyond
        if other.n == 0 or other.min_ns is None or other.max_ns is None:
            return
        self.counts += other.counts
        self._widen(other.n, other.sum_ns, other.min_ns, other.max_ns)

    def _widen(self, n: int, sum_ns: int, lowest: int, highest: int) -> None:
        self.n += n
        self.sum_ns += sum_ns
        self.min_ns = lowest if self.min_ns is None else min(self.min_ns, lowest)
        self.max_ns = highest if self.max_ns is None else max(self.max_ns, highest)

    def quantile_ms(self, quantile: float) -> float | None:
        """The value in ms below which `quantile` of the samples lie.

        None with too few samples behind it, or when its rank falls among those of unknown duration.
        """
        if self.total < samples_needed(quantile):
            return None
        return self.quantile_ms_of_any(quantile)

    def quantile_ms_of_any(self, quantile: float) -> float | None:
        """As `quantile_ms`, however few the samples: for displays that change, never for results."""
        rank = max(1, math.ceil(quantile * self.total))
        if rank > self.n or self.max_ns is None:
            return None
        index = int(np.searchsorted(np.cumsum(self.counts), rank))
        return min(int(HIGHEST_OF_BUCKET_US[index]) * 1000, self.max_ns) / 1e6

    @property
    def mean_ms(self) -> float | None:
        """The exact mean in ms of the known durations."""
        return self.sum_ns / self.n / 1e6 if self.n else None

    @property
    def min_ms(self) -> float | None:
        """The exact smallest value in ms."""
        return None if self.min_ns is None else self.min_ns / 1e6

    @property
    def max_ms(self) -> float | None:
        """The exact largest value in ms; None when longer ones are of unknown duration."""
        return None if self.max_ns is None or self.beyond else self.max_ns / 1e6


def encode_counts(indices: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> bytes:
    """Encode sparse counters (ascending `indices` and their `counts`) as HdrHistogram V2, base64."""
    hdr = HdrHistogram(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)
    if indices.size:
        view = np.frombuffer(hdr.encoder.get_counts(), dtype=np.uint64)
        view[indices] = counts
        hdr.total_count = int(counts.sum())
        hdr.min_value = int(LOWEST_OF_BUCKET_US[indices[0]])
        hdr.max_value = int(HIGHEST_OF_BUCKET_US[indices[-1]])
    encoded: bytes = hdr.encode()
    return encoded


def decode_counts(encoded: bytes) -> npt.NDArray[np.int64]:
    """The dense counters of an encoded histogram; the inverse of `encode_counts`."""
    hdr = HdrHistogram.decode(encoded)
    counts = np.zeros(LENGTH, dtype=np.int64)
    stored = np.frombuffer(hdr.encoder.get_counts(), dtype=f"u{hdr.word_size}")
    counts[: min(stored.size, LENGTH)] = stored[:LENGTH]
    return counts
