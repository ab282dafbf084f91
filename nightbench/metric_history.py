"""One metric of a suite over its nights: where the history and tonight's verdict meet in a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from nightbench.history.record import clean
from nightbench.history.tidy import rows_of
from nightbench.report.charts.metric_nights import (
    BaselineBand,
    LevelChange,
    MetricNight,
    MetricNights,
    NightState,
    band,
    releases_of,
)
from nightbench.tier_verdict import Earlier
from nightbench.verdict.acknowledgement import annotated
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.targets import TargetResult
from nightbench.verdict.verdict import SuiteVerdict


@dataclass(frozen=True, eq=False)
class SuiteNights:
    """All that the charts of one suite of one tier are made of.

    Attributes:
        rows: Of all its nights, tonight's last, tidy; see `nightbench.history.tidy.COLUMNS`.
        earlier: What was said of them.
        judged: The verdict on tonight; None when it was not compared.
        targets: Tonight's.
        tonight: Which night is the last.
    """

    rows: pd.DataFrame
    earlier: Earlier
    judged: Verdict | None
    targets: tuple[TargetResult, ...]
    tonight: Tonight


@dataclass(frozen=True)
class Tonight:
    """Which night, suite and tier is the last one."""

    night: str
    started_at: datetime
    suite: str
    tier: str
    environment: str


def metric_nights(metric: str, verdict: SuiteVerdict, earlier: Earlier) -> MetricNights:
    """The nights of one metric, from what is in memory when its suite was judged.

    Args:
        metric: Its name.
        verdict: On tonight's suite.
        earlier: What it was judged against.
    """
    (found,) = several_metric_nights([metric], verdict, earlier)
    return found


def several_metric_nights(
    metrics: Iterable[str], verdict: SuiteVerdict, earlier: Earlier
) -> tuple[MetricNights, ...]:
    """The same of several metrics of one suite, for less than each by itself."""
    shown = verdict.measurement
    rows = pd.concat([earlier.nights, rows_of(*verdict.runs)], ignore_index=True)
    tonight = Tonight(shown.night_id, shown.started_at, shown.suite, shown.tier, shown.environment)
    suite = SuiteNights(_of_nights(rows, tonight), earlier, verdict.judged, verdict.targets, tonight)
    units = {each.name: each.unit for each in shown.metrics}
    return nights_of(suite, {metric: (verdict.value(metric), units.get(metric, "")) for metric in metrics})


def nights_of(
    suite: SuiteNights, metrics: Mapping[str, tuple[float | None, str]]
) -> tuple[MetricNights, ...]:
    """The nights of some metrics of a suite.

    Args:
        suite: Their suite.
        metrics: Tonight's value of each and its unit, by name.
    """
    known = _by_night(_rows(metrics, suite))
    return tuple(
        _nights_of(metric, value, unit, suite, known[clean(metric)])
        for metric, (value, unit) in metrics.items()
    )


def _nights_of(
    metric: str, value: float | None, unit: str, suite: SuiteNights, known: Sequence[_Night]
) -> MetricNights:
    before = _before(known)
    tonight = MetricNight(
        suite.tonight.night, suite.tonight.started_at, value, "tonight", known[-1].known_release
    )
    target = next((each for each in suite.targets if each.metric == metric), None)
    changes = () if suite.judged is None else suite.judged.changes
    return MetricNights(
        suite=suite.tonight.suite,
        tier=suite.tonight.tier,
        environment=suite.tonight.environment,
        metric=metric,
        unit=unit,
        nights=(*before, tonight),
        baseline=_baseline(_line(metric, suite.judged), before, tonight),
        target=() if target is None else target.limits(),
        epochs=tuple(night.night for older, night in pairwise(known) if night.epoch != older.epoch),
        changes=tuple(
            LevelChange(each.night, each.point.effect) for each in changes if each.metric == metric
        ),
        releases=releases_of((*before, tonight)),
    )


def _of_nights(rows: pd.DataFrame, tonight: Tonight) -> pd.DataFrame:
    of_it = (rows["suite"] == tonight.suite) & (rows["tier"] == tonight.tier)
    return rows[of_it & rows["role"].eq("night")]


def _rows(metrics: Iterable[str], suite: SuiteNights) -> pd.DataFrame:
    """A row of each metric for each block, with what people and verdicts said of its night.

    Of a night that was not measured as tonight, or is invalid, the memory has another metric's row alone: it is
    known that there was one, and not its value. The same holds for a night that misses the metric.
    """
    names = [clean(metric) for metric in metrics]
    own = suite.rows[suite.rows["metric"].isin(names)]
    every = suite.rows.drop_duplicates("night")
    seen = own.groupby("metric", observed=True)["night"].unique()
    lacking = [
        every[~every["night"].isin(seen.get(name, ()))].assign(metric=name, value=math.nan)
        for name in names
        if len(seen.get(name, ())) < len(every)
    ]
    return annotated(
        pd.concat([own, *lacking], ignore_index=True) if lacking else own,
        suite.earlier.marks,
        suite.earlier.lines,
        tonight=clean(suite.tonight.night),
        now=suite.tonight.started_at,
    )


class _Night(NamedTuple):
    """All blocks of a night of one metric; `value` is NaN where it is missing, and `release` no text."""

    night: str
    started_at: datetime
    value: float
    valid: bool
    fingerprint: str
    epoch: int
    flagged: bool
    told: bool
    release: object

    @property
    def known_release(self) -> str | None:
        return self.release if isinstance(self.release, str) else None


def _by_night(rows: pd.DataFrame) -> dict[str, list[_Night]]:
    """The nights of each metric, tonight last: the median of the valid blocks, of all where none is valid."""
    of_blocks = rows.assign(
        fingerprint=rows["fingerprint"].astype(str),
        release=rows["release"].astype(object),
        some_valid=rows.groupby(["metric", "night"])["valid"].transform("any"),
    )
    of_blocks["value"] = of_blocks["value"].where(of_blocks["valid"] | ~of_blocks["some_valid"])
    nights = of_blocks.groupby(["metric", "night"], as_index=False).agg(
        started_at=("started_at", "min"),
        value=("value", "median"),
        valid=("some_valid", "any"),
        fingerprint=("fingerprint", "last"),
        epoch=("epoch", "max"),
        flagged=("flagged_own", "any"),
        told=("told", "any"),
        release=("release", "last"),
    )
    nights = nights.sort_values(["metric", "started_at", "night"], kind="stable")
    began = nights["started_at"].dt.to_pydatetime()
    columns = [nights[name].tolist() for name in _Night._fields if name != "started_at"]
    found: dict[str, list[_Night]] = {}
    for metric, at, night, *rest in zip(nights["metric"].tolist(), began, *columns, strict=True):
        found.setdefault(metric, []).append(_Night(night, at, *rest))
    return found


def _before(known: Sequence[_Night]) -> list[MetricNight]:
    """The nights before the last one, which is tonight."""
    *before, tonight = known
    return [
        MetricNight(
            night=night.night,
            started_at=night.started_at,
            value=night.value if math.isfinite(night.value) else None,
            state=_state(night, tonight),
            release=night.known_release,
        )
        for night in before
    ]


def _state(night: _Night, tonight: _Night) -> NightState:
    if not night.valid:
        return "invalid"
    if (night.fingerprint, night.epoch) != (tonight.fingerprint, tonight.epoch):
        return "not compared"
    if night.told:
        return "regression"
    return "flagged" if night.flagged else "night"


def _line(metric: str, judged: Verdict | None) -> Line | None:
    lines = () if judged is None else judged.lines
    return next((line for line in lines if line.metric == metric), None)


def _baseline(line: Line | None, before: Sequence[MetricNight], tonight: MetricNight) -> BaselineBand | None:
    """Drawn over the last nights that may be compared, as many as the baseline has."""
    if line is None or line.baseline is None:
        return None
    usual = [each.night for each in before if each.state == "night" and each.value is not None]
    since = usual[-line.nights :][0] if usual and line.nights else tonight.night
    return band(since, line.baseline, line.noise, line.effect)
