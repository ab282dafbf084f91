"""What is known of the noise from night to night where two sets of runs do not show enough of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightbench.verdict.panel import median_variance

Floats = npt.NDArray[np.float64]
Key = tuple[str, str, str]
"""Suite, tier and metric."""

NoiseOf = Literal["sets", "one set", "earlier nights", "calibration", "blocks", "nothing"]
"""Where the noise of a comparison is known from: see `nightbench.verdict.sets.effects.set_effects`."""

Known = dict[Key, tuple[float, float, NoiseOf]]
"""Variance of a night's logarithm, its degrees of freedom, and where it is known from."""

KEYS = ["suite", "tier", "metric"]
EARLIER_NIGHTS = 20
LEAST_EARLIER = 5


class Nights:
    """The nights of one set, by metric.

    Attributes:
        keys: All that the frame has, in its order.
        blocks: How many runs are behind each value of a night, by metric.
        of_metric: The median of the runs of each night that has a value.
        units: Where the frame has them.
        within: Sum of squares of the logarithms of the runs within their nights, and its degrees of freedom.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        value = pd.to_numeric(frame["value"], errors="coerce").astype(float)
        usable = frame.assign(value=value)[np.isfinite(value)]
        nights = usable.groupby([*KEYS, "night"], sort=False)["value"]
        medians = nights.median()
        sizes = nights.size().groupby(KEYS, sort=False)
        self.blocks = {key: group.to_numpy() for key, group in sizes}
        self.keys = list(dict.fromkeys(frame[KEYS].itertuples(index=False, name=None)))
        self.of_metric = {key: group.to_numpy() for key, group in medians.groupby(KEYS, sort=False)}
        self.units: dict[Key, str] = {}
        if "unit" in frame:
            self.units = dict(zip(self.keys, frame.drop_duplicates(KEYS)["unit"].astype(str), strict=True))
        self.within = _within(usable)

    @property
    def single(self) -> bool:
        """Whether a metric has but one night, and so no spread of its own."""
        return any(values.size == 1 for values in self.of_metric.values())

    def logs(self, key: Key) -> Floats:
        """Logarithms of the nights; empty where one has none."""
        values = self.of_metric.get(key, np.empty(0))
        return np.log(values) if (values > 0).all() else np.empty(0)

    def variance(self, key: Key, blocks: int) -> float:
        """Variance of a night, in that of one with so many `blocks`; of nights that differ in theirs the mean."""
        own = median_variance(self.blocks.get(key, np.array([blocks]))).mean()
        return float(own / median_variance(blocks))


def usual_blocks(sides: Iterable[Nights]) -> int:
    """How many runs are behind a night of `sides`, in the median."""
    counts = [counts for side in sides for counts in side.blocks.values()]
    return max(1, round(float(np.median(np.concatenate(counts))))) if counts else 1


def _within(usable: pd.DataFrame) -> dict[Key, tuple[float, float]]:
    """Sum of squares within nights of the logarithm of the runs, and its degrees of freedom."""
    positive = usable[usable["value"] > 0]
    logs = positive.assign(log=np.log(positive["value"]))
    logs["log"] -= logs.groupby([*KEYS, "night"])["log"].transform("mean")
    of_metric = logs.assign(square=logs["log"] ** 2).groupby(KEYS, sort=False)
    squares, runs = of_metric["square"].sum(), of_metric.size()
    nights = of_metric["night"].nunique()
    return {key: (float(squares[key]), float(runs[key] - nights[key])) for key in squares.index}


def known_noise(
    sides: Sequence[Nights], blocks: int, earlier: pd.DataFrame | None, calibrated: pd.DataFrame | None
) -> Known:
    """What is known of the noise of nights with so many `blocks`; the best source of each metric of `sides`."""
    share = float(median_variance(blocks))
    known: Known = {}
    for key in {key: None for side in sides for key in side.within}:
        pairs = [side.within[key] for side in sides if key in side.within]
        freedom = sum(pair[1] for pair in pairs)
        if freedom:
            known[key] = (share * sum(pair[0] for pair in pairs) / freedom, freedom, "blocks")
    if calibrated is not None:
        known |= _of_calibration(calibrated, share)
    if earlier is not None:
        known |= _of_earlier(earlier, blocks)
    return known


def _of_calibration(calibrated: pd.DataFrame, share: float) -> Known:
    relative = (calibrated["between_sd"] / calibrated["mean"].abs()).astype(float)
    usable = calibrated.assign(relative=relative)[np.isfinite(relative) & (calibrated["runs"] > 1)]
    columns = (usable[name].tolist() for name in (*KEYS, "relative", "runs"))
    return {
        (suite, tier, metric): (share * deviation**2, float(runs) - 1, "calibration")
        for suite, tier, metric, deviation, runs in zip(*columns, strict=True)
    }


def _of_earlier(earlier: pd.DataFrame, blocks: int) -> Known:
    rows = earlier[earlier["valid"].astype(bool)]
    side = Nights(rows.groupby([*KEYS, "night"], sort=False).head(blocks))
    known: Known = {}
    for key in side.keys:
        logs = side.logs(key)[-EARLIER_NIGHTS:]
        if logs.size >= LEAST_EARLIER:
            variance = float(np.mean(np.diff(logs) ** 2)) / 2 / side.variance(key, blocks)
            known[key] = (variance, 2 / 3 * (logs.size - 1), "earlier nights")
    return known
