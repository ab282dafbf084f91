"""Nights × metrics as arrays: what the layers of the verdict compute on."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """Earlier nights and, in the last row, tonight; a column a metric of a suite and tier.

    Attributes:
        nights: Names of the rows, oldest first; shape (n,).
        groups: The suites and tiers; shape (g,).
        metrics: Names of the columns, tonight's first; shape (m,).
        named: How many of them tonight names, with or without a value.
        group: Which of `groups` a column belongs to; shape (m,).
        values: Medians of the valid blocks, NaN where there is none; shape (n, m).
        blocks: How many valid blocks are behind a value; shape (n, m).
        flagged: Had a regression that nobody acknowledged; shape (n, m).
        own: It was this metric that the night is flagged for; shape (n, m).
        told: It was this metric's own, and an alert; shape (n, m).
        pinned: Is of the set to compare with; shape (n, m).
        epoch: Only nights of tonight's are compared; shape (n, m).
        muted: Alerts of these are not wanted; shape (m,).
        measured: Whether the suite and tier ran at all; shape (n, g).
        valid: Whether one of its blocks is valid; shape (n, g).
        fingerprint: What it ran on, None where unknown; shape (n, g).
        later: How many nights of the history do not begin before tonight, and so are no row; shape (g,).
    """

    nights: tuple[Hashable, ...]
    groups: tuple[tuple[str, str], ...]
    metrics: tuple[str, ...]
    named: int
    group: Ints
    values: Floats
    blocks: Ints
    flagged: Bools
    own: Bools
    told: Bools
    pinned: Bools
    epoch: Ints
    muted: Bools
    measured: Bools
    valid: Bools
    fingerprint: npt.NDArray[np.object_]
    later: Ints

    @cached_property
    def known(self) -> Bools:
        """Where there is a value; shape (n, m)."""
        return np.isfinite(self.values)

    @cached_property
    def in_epoch(self) -> Bools:
        """Where a night is of tonight's epoch; shape (n, m)."""
        return np.asarray(self.epoch == self.epoch[-1])


@dataclass(frozen=True)
class Reruns:
    """Repetitions of tonight's suspects.

    Attributes:
        values: Medians of the valid repetitions, NaN where there is none; shape (m,).
        blocks: How many are behind each; shape (m,).
        made: Whether the metric's suite and tier was repeated at all; shape (m,).
    """

    values: Floats
    blocks: Ints
    made: Bools


def median_variance(blocks: npt.ArrayLike) -> Floats:
    """Variance of the median of so many independent normal values of variance 1.

    The first nine by simulation of two million (order statistics have no closed form); beyond, π / 2b.
    """
    counts = np.asarray(blocks, dtype=np.int64)
    table = np.asarray(_MEDIAN_VARIANCE)[np.clip(counts, 0, len(_MEDIAN_VARIANCE) - 1)]
    return np.where(counts < len(_MEDIAN_VARIANCE), table, np.pi / (2 * np.maximum(counts, 1)))


_MEDIAN_VARIANCE = (1.0, 1.0, 0.5, 0.4487, 0.2978, 0.2868, 0.2147, 0.2104, 0.1679, 0.1661)
