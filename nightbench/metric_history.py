"""One metric of a suite over its nights: where the history and tonight's verdict meet in a chart."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

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
)
from nightbench.tier_verdict import Earlier
from nightbench.verdict.acknowledgement import annotated
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.targets import TargetResult
from nightbench.verdict.verdict import SuiteVerdict

_OF_A_BLOCK = ("night", "started_at", "value", "valid", "fingerprint", "epoch", "flagged_own")


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
    return tuple(
        nights_of(suite, metric, value=verdict.value(metric), unit=units.get(metric, ""))
        for metric in metrics
    )


def nights_of(suite: SuiteNights, metric: str, *, value: float | None, unit: str) -> MetricNights:
    """The nights of one metric of a suite.

    Args:
        suite: Its suite.
        metric: Its name.
        value: Tonight's.
        unit: Its unit.
    """
    known = _by_night(_rows(metric, suite))
    tonight = MetricNight(suite.tonight.night, suite.tonight.started_at, value, "tonight")
    before = _before(known)
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
        epochs=tuple(row["night"] for older, row in pairwise(known) if row["epoch"] != older["epoch"]),
        changes=tuple(
            LevelChange(each.night, each.point.effect) for each in changes if each.metric == metric
        ),
    )


def _of_nights(rows: pd.DataFrame, tonight: Tonight) -> pd.DataFrame:
    of_it = (rows["suite"] == tonight.suite) & (rows["tier"] == tonight.tier)
    return rows[of_it & rows["role"].eq("night")]


def _rows(metric: str, suite: SuiteNights) -> pd.DataFrame:
    """A row of the metric for each block, tonight's last, with what people and verdicts said of its night.

    Of a night that was not measured as tonight, or is invalid, the memory has another metric's row alone: it is
    known that there was one, and not its value. The same holds for a night that misses the metric.
    """
    rows, name = suite.rows, clean(metric)
    own = rows[rows["metric"] == name]
    others = rows[~rows["night"].isin(own["night"])].drop_duplicates("night")
    return annotated(
        pd.concat([own, others.assign(metric=name, value=math.nan)]).sort_index(),
        suite.earlier.marks,
        suite.earlier.lines,
        tonight=clean(suite.tonight.night),
        now=suite.tonight.started_at,
    )


def _by_night(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """A row a night, tonight last: the median of its valid blocks, of all where none is valid."""
    blocks: dict[str, list[dict[Hashable, Any]]] = {}
    for row in rows[list(_OF_A_BLOCK)].to_dict("records"):
        blocks.setdefault(row["night"], []).append(row)
    nights = [_night([row for row in of_it if row["valid"]] or of_it) for of_it in blocks.values()]
    return sorted(nights, key=lambda row: (row["started_at"], row["night"]))


def _night(blocks: Sequence[Mapping[Hashable, Any]]) -> dict[Hashable, Any]:
    # by hand, since there are few of them: pandas takes longer for one chart than the rest of it together
    values = [row["value"] for row in blocks if not math.isnan(row["value"])]
    return {
        "night": blocks[0]["night"],
        "started_at": min(row["started_at"] for row in blocks),
        "value": median(values) if values else math.nan,
        "valid": any(row["valid"] for row in blocks),
        "fingerprint": blocks[-1]["fingerprint"],
        "epoch": max(row["epoch"] for row in blocks),
        "flagged": any(row["flagged_own"] for row in blocks),
    }


def _before(known: Sequence[Mapping[Hashable, Any]]) -> list[MetricNight]:
    """The nights before the last one, which is tonight."""
    *before, tonight = known
    return [
        MetricNight(
            night=row["night"],
            started_at=row["started_at"].to_pydatetime(),
            value=row["value"] if math.isfinite(row["value"]) else None,
            state=_state(row, tonight),
        )
        for row in before
    ]


def _state(row: Mapping[Hashable, Any], tonight: Mapping[Hashable, Any]) -> NightState:
    if not row["valid"]:
        return "invalid"
    if any(row[name] != tonight[name] for name in ("fingerprint", "epoch")):
        return "not compared"
    return "regression" if row["flagged"] else "night"


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
