"""How many operations ended in which part of a run whose length is not known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

MOST = 4096
"""Slices: past it they become twice as wide, so that a run of more than 4 ms has at least half as many."""

_FIRST_WIDTH = 1 << 10  # ns

_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Slices:
    """Counts by slices of one width, from an origin on; plain data, bounded however long the run.

    The width is the smallest power of two from 1024 ns on with which there are at most 4096 slices, so that it depends on the last
    instant alone, not on how the counts came together.

    Attributes:
        counts: Of each slice; what ends after the last one has not been counted yet.
        width: Of each slice, ns.
    """

    counts: _Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    width: int = _FIRST_WIDTH

    @classmethod
    def merged(cls, parts: Sequence[Slices]) -> Slices:
        """The counts of all `parts`, which have one origin."""
        width = max(part.width for part in parts)
        counts = [part.widened(width).counts for part in parts]
        whole = np.zeros(max(each.size for each in counts), np.int64)
        for each in counts:
            whole[: each.size] += each
        return cls(whole, width)

    def plus(self, instants: _Integers) -> Slices:
        """These and one more at each of `instants`, ns since the origin, none of them before it."""
        if not instants.size:
            return self
        width, last = self.width, int(instants.max())
        while last // width >= MOST:
            width *= 2
        return Slices.merged([self, Slices(np.bincount(instants // width).astype(np.int64), width)])

    def widened(self, width: int) -> Slices:
        """The same in slices of `width`, a multiple of the present one by a power of two."""
        factor = width // self.width
        whole = np.pad(self.counts, (0, -self.counts.size % factor))
        return replace(self, counts=whole.reshape(-1, factor).sum(axis=1), width=width)

    def evenly(self, parts: int, *, until: int) -> npt.NDArray[np.float64]:
        """How many ended in each of equal `parts` of the time from the origin to `until` (ns).

        What ended in a slice that lies in two of them is shared out by its time in each.
        """
        ended = np.concatenate(([0], np.cumsum(self.counts)))
        edges = np.arange(ended.size) * self.width
        return np.diff(np.interp(np.linspace(0, until, parts + 1), edges, ended))
