"""How much a metric varies when nothing has changed: within a run, and from run to run of the same build."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev

import pandas as pd

from nightbench.measurement import Measurement, Window
from nightbench.verdict.judging import judge
from nightbench.verdict.policy import Policy
from nightbench.verdict.sets.quantiles import QUANTILES, quantile_noise
from nightbench.verdict.sets.windowed import RunCounts

_STATISTICS: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_RESAMPLES = 300
"""Of each run: a standard deviation is then known to 4 %, and of ten runs to little more than 1 %."""
COLUMNS = [
    "suite",
    "tier",
    "metric",
    "unit",
    "runs",
    "mean",
    "within_sd",
    "between_sd",
    "detectable",
    "gates",
]


def _nobody(_runs: int) -> None:
    """Nobody waits for it."""


def noise_of(
    runs: Sequence[Measurement], *, policy: Policy | None = None, on_run: Callable[[int], None] = _nobody
) -> pd.DataFrame:
    """The noise of every metric over runs of the same build (A/A), at least two of a suite; invalid ones do not count.

    Args:
        runs: Of one build.
        policy: As for `judge`.
        on_run: Told after each run how many have been looked at, since a long one takes seconds.

    Returns:
        One row a metric, in the order of the first run: suite, tier, metric, unit; `runs` that have it; their
        `mean`; `within_sd`, how far one run is off by the samples that it happened to have, from its windows
        (NaN where they do not tell: see `nightbench.verdict.sets.quantiles.quantile_noise`); `between_sd`, the
        standard deviation of the runs, which what is within them is a part of; `detectable`, the smallest relative
        worsening that `judge` would see with 80 % probability in a night of one such run, were these its
        baseline (NaN where it compares nothing); and whether the metric `gates`. Standard deviations in the unit
        of the metric.
    """
    valid = [run for run in runs if run.validity.valid and run.validity.complete]
    within = _within(valid, on_run)
    rows = [
        {
            "suite": suite,
            "tier": tier,
            "metric": metric,
            "unit": unit,
            "runs": len(values),
            "mean": fmean(values),
            "within_sd": within.get((suite, tier, metric), math.nan) * abs(fmean(values)),
            "between_sd": stdev(values),
        }
        for (suite, tier, metric, unit), values in _values(valid).items()
        if len(values) > 1
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS[:-2])
    return _with_judgement(frame, valid, policy)[COLUMNS]


def _values(runs: Iterable[Measurement]) -> dict[tuple[str, str, str, str], list[float]]:
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for run in runs:
        for metric in run.metrics:
            if metric.value is not None and math.isfinite(metric.value):
                found.setdefault((run.suite, run.tier, metric.name, metric.unit), []).append(metric.value)
    return found


def _with_judgement(frame: pd.DataFrame, runs: Sequence[Measurement], policy: Policy | None) -> pd.DataFrame:
    """`frame` with what `judge` says of a night that is like the runs in the middle."""
    history = pd.DataFrame(
        [
            (f"{place:06d}", run.suite, run.tier, metric.name, metric.value, True)
            for place, run in enumerate(runs)
            for metric in run.metrics
        ],
        columns=["night", "suite", "tier", "metric", "value", "valid"],
    ).astype({"value": float})
    if history.empty:
        return frame.assign(detectable=pd.Series(dtype=float), gates=pd.Series(dtype=bool))
    middle = history.groupby(["suite", "tier", "metric"], sort=False)["value"].median().reset_index()
    lines = judge(history, middle.assign(night="999999", valid=True), policy=policy).to_frame()
    of_lines = lines[["suite", "tier", "metric", "detectable", "gates"]].astype({"detectable": float})
    return frame.merge(of_lines, on=["suite", "tier", "metric"], how="left")


def _within(runs: Iterable[Measurement], on_run: Callable[[int], None]) -> dict[tuple[str, str, str], float]:
    """Relative standard deviations within a run, the root of the mean of their squares over the runs."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for number, run in enumerate(runs, 1):
        for quantity, windows in _by_quantity(run.windows).items():
            for statistic, noise in _of_windows(windows).items():
                found.setdefault((run.suite, run.tier, f"{quantity}.{statistic}"), []).append(noise)
        on_run(number)
    return {
        place: math.sqrt(fmean(noise * noise for noise in all_of_it)) for place, all_of_it in found.items()
    }


def _by_quantity(windows: Iterable[Window]) -> dict[str, list[Window]]:
    found: dict[str, list[Window]] = {}
    for window in windows:
        found.setdefault(f"{window.operation}.{window.quantity}", []).append(window)
    return found


def _of_windows(windows: Iterable[Window]) -> dict[str, float]:
    try:
        noise = dict(zip(QUANTILES, quantile_noise(RunCounts.of(windows), resamples=_RESAMPLES), strict=True))
    except ValueError:  # nothing in any of them
        return {}
    known = {statistic: noise[quantile] for statistic, quantile in _STATISTICS.items()}
    return {statistic: value for statistic, value in known.items() if value is not None}
