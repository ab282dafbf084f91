"""The counters of one quantity over the windows of one run, as the dataset has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nightbench.load.histogram import LENGTH, decode_counts

Integers = npt.NDArray[np.int64]

NEVER_CAME = LENGTH
"""The bucket behind all others, of samples that were due and never came: they have the highest ranks."""

MOST_WINDOWS = 128
"""Neighbouring windows of a longer run are put together: more would not tell more of how it varies."""


class StoredWindow(Protocol):
    """A row of the table ``windows``; see `nightbench.load.windows.Window`."""

    @property
    def second(self) -> int: ...
    @property
    def n(self) -> int: ...
    @property
    def histogram(self) -> str | bytes: ...


@dataclass(frozen=True, eq=False)
class RunCounts:
    """One quantity of one run; three arrays of one length, one element a counter.

    Attributes:
        of_window: In which window, from 0.
        buckets: Of `nightbench.load.histogram`, or `NEVER_CAME`.
        counts: Never 0.
        windows: How many.
    """

    of_window: Integers
    buckets: Integers
    counts: Integers
    windows: int

    @classmethod
    def of(cls, windows: Iterable[StoredWindow]) -> RunCounts:
        """Decode windows of one quantity of one run, whatever their width.

        Raises:
            ValueError: without any samples, or when a histogram is none.
        """
        rows = [counters_of(window) for window in sorted(windows, key=lambda window: window.second)]
        rows = [row for row in rows if row.any()]
        if not rows:
            msg = "no samples in any window"
            raise ValueError(msg)
        together = -(-len(rows) // MOST_WINDOWS)
        parts = [np.sum(rows[start : start + together], axis=0) for start in range(0, len(rows), together)]
        buckets = [np.flatnonzero(part) for part in parts]
        return cls(
            np.repeat(np.arange(len(parts)), [part.size for part in buckets]),
            np.concatenate(buckets),
            np.concatenate([part[places] for part, places in zip(parts, buckets, strict=True)]),
            len(parts),
        )


def counters_of(window: StoredWindow) -> Integers:
    """The counter of each bucket of a window, and behind them that of `NEVER_CAME`.

    Raises:
        ValueError: when its histogram is none.
    """
    text = window.histogram
    try:
        counts = decode_counts(text.encode() if isinstance(text, str) else bytes(text))
    except Exception as error:  # what its decoder raises has no common class
        msg = f"the histogram of second {window.second} cannot be decoded: {error}"
        raise ValueError(msg) from error
    return np.append(counts, max(0, int(window.n) - int(counts.sum())))
