"""How the distribution of a duration moved between two sets of runs: it explains a change, and never gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from nightbench.load.histogram import (
    HIGHEST_OF_BUCKET_US,
    LENGTH,
    LOWEST_OF_BUCKET_US,
    ROUNDED_UP,
    samples_needed,
)
from nightbench.verdict.sets.windowed import NEVER_CAME, RunCounts

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
RESAMPLES = 1000
BEYOND = 5
"""A quantile has a band where so many samples of each side lie beyond it: resamples of fewer are all alike."""

_COVERED = 0.95
_NORMAL = 1.959964

_COARSE = np.append(ROUNDED_UP, NEVER_CAME)
_LOG_LOWEST = np.log(np.append(np.maximum(LOWEST_OF_BUCKET_US, 1) - 0.5, np.inf))
_LOG_HIGHEST = np.log(np.append(np.maximum(HIGHEST_OF_BUCKET_US, 1) + 0.5, np.inf))


@dataclass(frozen=True)
class QuantileShift:
    """One quantile before and after.

    Attributes:
        quantile: For example 0.95.
        before, after: In ms, of all runs of the set merged; None with too few samples, or when the rank falls
            among those that never came.
        shift: Relative change; None without both values.
        low, high: 95 % band of `shift`; None without one, as with fewer than `BEYOND` samples beyond. A `high` of None beside a `low` is open: among the
            resamples the quantile fell where nothing came any more.
    """

    quantile: float
    before: float | None
    after: float | None
    shift: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class QuantileView:
    """Two distributions beside each other.

    Attributes:
        shifts: One for each of `QUANTILES`.
        distance: Wasserstein-1 distance relative to the median before: how far the average sample moved, in
            medians. None without a median.
        at_least: Whether samples that never came, and count as the longest that did, make it larger than said.
        samples: How many before and after, with those that never came.
        runs: How many before and after.
        why: Why there are no bands; empty when there are.
    """

    shifts: tuple[QuantileShift, ...]
    distance: float | None
    at_least: bool
    samples: tuple[int, int]
    runs: tuple[int, int]
    why: str = ""


def quantile_view(
    before: Sequence[RunCounts],
    after: Sequence[RunCounts],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> QuantileView:
    """Compare one quantity of two sets of runs.

    The bands are of a bootstrap of circular blocks of windows (Politis and Romano 1992), of ``windows ** (1/3)``
    windows each (Hall, Horowitz and Jing 1995): neighbouring seconds are alike. Where a side has several runs,
    whole runs are drawn instead, which differ by more than their windows. A side's deviations are widened by
    ``√(u / (u − 1))``, and both by Student's t with Welch's degrees of freedom, for its `u` runs or blocks:
    few of them spread too little.

    Args:
        before: At least one run.
        after: At least one run.
        resamples: How many; at least 1,000 for bands worth showing.
        seed: Of the draws.
    """
    merged = _merged(before), _merged(after)
    values = [[_quantile_ms(counts, quantile) for quantile in QUANTILES] for counts in merged]
    why = next((reason for side in (before, after) if (reason := _no_band(side))), "")
    bands = () if why else _bands(before, after, resamples, np.random.default_rng(seed))
    shifts = []
    for place, (quantile, first, second) in enumerate(zip(QUANTILES, *values, strict=True)):
        if first is None or second is None:
            shifts.append(QuantileShift(quantile, first, second))
            continue
        shift = math.log(second / first)
        enough = min(counts.sum() for counts in merged) * (1 - quantile) >= BEYOND
        low, high = _relative(shift, *bands[place]) if bands and enough else (None, None)
        shifts.append(QuantileShift(quantile, first, second, math.expm1(shift), low, high))
    return QuantileView(
        shifts=tuple(shifts),
        distance=_distance(*merged, values[0][0]),
        at_least=any(counts[NEVER_CAME] for counts in merged),
        samples=(int(merged[0].sum()), int(merged[1].sum())),
        runs=(len(before), len(after)),
        why=why,
    )


def quantile_noise(run: RunCounts, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float | None, ...]:
    """How far each of `QUANTILES` of one run is off by the samples that it happened to have.

    Relative standard deviations by the bootstrap of `quantile_view`. None where fewer than `BEYOND` samples lie
    beyond, where the quantile never came, and of a run with fewer than two blocks of windows.
    """
    if _blocks(run.windows) < 2:
        return (None,) * len(QUANTILES)
    groups = np.unique(_COARSE[run.buckets])
    deviations = _deviations([run], groups, resamples, np.random.default_rng(seed))
    samples = int(run.counts.sum())
    return tuple(
        math.sqrt(_spread(column))
        if samples * (1 - quantile) >= BEYOND and np.isfinite(column).all()
        else None
        for quantile, column in zip(QUANTILES, deviations.T, strict=True)
    )


def _merged(runs: Sequence[RunCounts]) -> Integers:
    whole = np.zeros(LENGTH + 1, np.int64)
    for run in runs:
        np.add.at(whole, run.buckets, run.counts)
    return whole


def _quantile_ms(counts: Integers, quantile: float) -> float | None:
    """As `Histogram.quantile_ms`, of counters whose last one is of samples that never came."""
    total = int(counts.sum())
    if total < samples_needed(quantile):
        return None
    index = int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(quantile * total))))
    return None if index == NEVER_CAME else float(HIGHEST_OF_BUCKET_US[index]) / 1000


def _distance(before: Integers, after: Integers, median_ms: float | None) -> float | None:
    """∫ |F − G| over the durations that came, relative to the median; see `QuantileView`."""
    if not before.sum() or not after.sum() or not median_ms:
        return None
    last = int(np.flatnonzero(before[:LENGTH] + after[:LENGTH])[-1])
    apart = np.cumsum(before)[:last] / before.sum() - np.cumsum(after)[:last] / after.sum()
    steps = np.diff(HIGHEST_OF_BUCKET_US[: last + 1]) / 1000
    return float(np.abs(apart) @ steps) / median_ms


def _no_band(runs: Sequence[RunCounts]) -> str:
    if len(runs) > 1 or _blocks(runs[0].windows) >= 2:
        return ""
    return f"no bands: one run with {runs[0].windows} windows does not show how it varies"


def _blocks(windows: int) -> int:
    """How many blocks that do not overlap."""
    return windows // _block_length(windows)


def _block_length(windows: int) -> int:
    return 1 if windows == 1 else max(2, round(windows ** (1 / 3)))


def _bands(
    before: Sequence[RunCounts], after: Sequence[RunCounts], resamples: int, rng: np.random.Generator
) -> Sequence[tuple[float, float]]:
    """How far the log shift of each of `QUANTILES` may be off: below, above."""
    groups = np.unique(_COARSE[np.concatenate([run.buckets for run in (*before, *after)])])
    first, second = (_deviations(side, groups, resamples, rng) for side in (before, after))
    units = [len(side) if len(side) > 1 else _blocks(side[0].windows) for side in (before, after)]
    bands = []
    for mine, other in zip(first.T, second.T, strict=True):
        with np.errstate(invalid="ignore"):  # of a quantile that came on neither side
            deviations = other - mine
        wider = _student(_spread(mine), _spread(other), *units) / _NORMAL
        deviations[np.isnan(deviations)] = -np.inf  # of no quantile on either side nothing is known
        low = np.quantile(deviations, (1 - _COVERED) / 2, method="inverted_cdf")
        deviations[np.isneginf(deviations) & ~np.isfinite(other)] = np.inf
        high = np.quantile(deviations, (1 + _COVERED) / 2, method="inverted_cdf")
        bands.append((float(low) * wider, float(high) * wider))
    return bands


def _deviations(
    runs: Sequence[RunCounts], groups: Integers, resamples: int, rng: np.random.Generator
) -> Floats:
    """Log quantiles of the resamples less those of the runs as they are: resamples × quantiles."""
    units = len(runs) if len(runs) > 1 else _blocks(runs[0].windows)
    drawn: npt.NDArray[Any]
    if len(runs) > 1:
        drawn = rng.multinomial(units, np.full(units, 1 / units), size=resamples)
        dense = np.array([_dense(run, groups).sum(axis=0) for run in runs])
    else:
        drawn = _weights(runs[0].windows, resamples, rng)
        dense = _dense(runs[0], groups)
    summed, whole = drawn @ dense, dense.sum(axis=0, keepdims=True)
    with np.errstate(invalid="ignore"):  # a quantile that never came, less the same
        off = _log_quantiles(summed, groups) - _log_quantiles(whole, groups)
    widened: Floats = off * math.sqrt(units / (units - 1))
    return widened


def _dense(run: RunCounts, groups: Integers) -> Floats:
    """Windows × groups of counters that two significant digits do not tell apart."""
    places = run.of_window * groups.size + np.searchsorted(groups, _COARSE[run.buckets])
    counts = np.bincount(places, weights=run.counts, minlength=run.windows * groups.size).astype(np.float64)
    return counts.reshape(run.windows, groups.size)


def _weights(windows: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each window of a run is in each resample: resamples × windows."""
    length = _block_length(windows)
    blocks = math.ceil(windows / length)
    resample = np.repeat(np.arange(resamples), blocks)
    starts = rng.integers(windows, size=resample.size)
    begun = np.bincount(resample * windows + starts, minlength=resamples * windows)
    begun = begun.reshape(resamples, windows).astype(np.float64)
    weights: Floats = np.sum([np.roll(begun, offset, axis=1) for offset in range(length)], axis=0)
    return weights


def _log_quantiles(counts: Floats, groups: Integers) -> Floats:
    """Log of each of `QUANTILES` in µs, interpolated within the group that it falls into: rows × quantiles."""
    first_of_group = np.searchsorted(_COARSE, groups)
    low, high = _LOG_LOWEST[first_of_group], _LOG_HIGHEST[groups]
    below = np.cumsum(counts, axis=1)
    rows = np.arange(counts.shape[0])
    found = np.empty((counts.shape[0], len(QUANTILES)))
    for place, quantile in enumerate(QUANTILES):
        rank = quantile * below[:, -1]
        index = np.minimum((below < rank[:, np.newaxis]).sum(axis=1), groups.size - 1)
        inside = counts[rows, index]
        share = np.divide(
            rank - (below[rows, index] - inside), inside, out=np.ones_like(rank), where=inside > 0
        )
        came = groups[index] != NEVER_CAME
        start, end = np.where(came, low[index], 0), np.where(came, high[index], 0)
        found[:, place] = np.where(came, start + share * (end - start), np.inf)
    return found


def _spread(deviations: Floats) -> float:
    finite = deviations[np.isfinite(deviations)]
    return float(np.var(finite)) if finite.size else 0.0


def _student(mine: float, other: float, units: int, units_of_other: int) -> float:
    """97.5 % of Student's t, with the degrees of freedom of Welch and Satterthwaite."""
    if mine + other == 0:
        return _NORMAL
    freedom = (mine + other) ** 2 / (mine**2 / (units - 1) + other**2 / (units_of_other - 1))
    return float(stdtrit(freedom, (1 + _COVERED) / 2))


def _relative(shift: float, low: float, high: float) -> tuple[float, float | None]:
    return math.expm1(shift + low), math.expm1(shift + high) if math.isfinite(high) else None
