"""What the history says of each metric that gates, suite by suite, without a new measurement: data for any report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pandas as pd

from nightbench.errors import NightbenchError
from nightbench.history.record import clean
from nightbench.history.store import HistoryStore
from nightbench.metric_history import SuiteNights, Tonight, nights_of
from nightbench.plan import TIER_NAMES, Suite, Tier
from nightbench.planning import SUITES
from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.promises import is_certain
from nightbench.report.stored_run import measurement_of, stored_targets
from nightbench.target import Target
from nightbench.tier_verdict import Earlier
from nightbench.trend_report.older_changes import older_changes, with_changes
from nightbench.verdict.acknowledgement import annotated
from nightbench.verdict.gating import of_host
from nightbench.verdict.judgement import Change, Line, Verdict
from nightbench.verdict.judging import judge
from nightbench.verdict.night_value import judge_night, shown
from nightbench.verdict.policy import Policy
from nightbench.verdict.targets import TargetResult
from nightbench.verdict.verdict import SuiteVerdict


@dataclass(frozen=True)
class MetricTrend:
    """One metric over its nights, and what is said of the last one.

    Attributes:
        nights: Its nights, the last of which stands as tonight.
        line: The last night against those before it.
    """

    nights: MetricNights
    line: Line


@dataclass(frozen=True)
class SuiteTrend:
    """One suite of one tier over its nights.

    Attributes:
        suite, tier: Which.
        nights: How many there are.
        first, last: When the first and the last of them began, UTC.
        metrics: Those that gate, in the order of the last night.
        judged: The last night against those before it, as they would be judged now.
        missed: The targets that the last night missed beyond doubt, each with the unit of its metric.
        changes: Lasting changes of level, those that are older than what is judged too, oldest first.
        verdict: On the last night as a whole; None where its runs cannot be read.
        blocks: The ids of the runs of each night, valid ones first.
    """

    suite: Suite
    tier: Tier
    nights: int
    first: datetime
    last: datetime
    metrics: tuple[MetricTrend, ...]
    judged: Verdict
    missed: tuple[tuple[TargetResult, str], ...]
    changes: tuple[Change, ...] = ()
    verdict: SuiteVerdict | None = None
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def suite_trends(
    store: HistoryStore,
    environment: str,
    policy: Policy,
    *,
    nights: int,
    tiers: Sequence[Tier] = TIER_NAMES,
    suites: Sequence[Suite] = SUITES,
) -> Iterator[SuiteTrend]:
    """The trends of the suites and tiers that have nights at all.

    Args:
        store: Where the nights lie.
        environment: Theirs.
        policy: How the last night is judged.
        nights: How many are looked at, the last ones.
        tiers: Which.
        suites: Which.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
    """
    marks = store.marks(environment)
    for tier in tiers:
        for suite in suites:
            rows = store.nights(
                environment, suite=suite, tier=tier, last=nights, metrics=partial(_bears_on, policy)
            )
            if len(rows):
                lines = store.lines(environment, suite=suite, tier=tier)
                yield _trend(store, rows, Earlier(rows, lines, marks), policy)


def _trend(store: HistoryStore, rows: pd.DataFrame, earlier: Earlier, policy: Policy) -> SuiteTrend:
    last = rows.iloc[-1]
    tonight = Tonight(
        night=str(last["night"]),
        started_at=last["started_at"].to_pydatetime(),
        suite=str(last["suite"]),
        tier=str(last["tier"]),
        environment=str(last["environment"]),
    )
    judged = _judged(rows, earlier, tonight.night, policy)
    of_tonight = rows[rows["night"] == tonight.night]
    verdict = _last_night(store, tonight, of_tonight["run_id"].astype(str).unique(), judged)
    targets = () if verdict is None else verdict.targets
    suite = SuiteNights(rows, earlier, judged, targets, tonight)
    values = _values(of_tonight)
    named = rows.drop_duplicates("metric", keep="last")
    units = dict(zip(named["metric"], named["unit"].astype(str), strict=True))
    gating = [line for line in judged.lines if line.state != "informs"]
    wanted = {line.metric: (values.get(line.metric), units.get(line.metric, "")) for line in gating}
    histories = nights_of(suite, wanted)
    older = older_changes(histories, policy)
    return SuiteTrend(
        suite=tonight.suite,  # type: ignore[arg-type]  # as it was stored
        tier=tonight.tier,  # type: ignore[arg-type]
        nights=rows["night"].nunique(),
        first=rows["started_at"].min().to_pydatetime(),
        last=tonight.started_at,
        metrics=tuple(
            MetricTrend(with_changes(each, older), line) for each, line in zip(histories, gating, strict=True)
        ),
        judged=judged,
        missed=tuple(
            (target, units.get(target.metric, ""))
            for target in targets
            if verdict is not None and not target.met and is_certain(verdict, target)
        ),
        changes=(*older, *judged.changes),
        verdict=verdict,
        blocks=_blocks(rows),
    )


def _blocks(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    blocks = rows.drop_duplicates(["night", "run_id"]).sort_values("valid", ascending=False, kind="stable")
    found: dict[str, list[str]] = {}
    for night, run in zip(blocks["night"].tolist(), blocks["run_id"].astype(str).tolist(), strict=True):
        found.setdefault(night, []).append(run)
    return {night: tuple(runs) for night, runs in found.items()}


def _bears_on(policy: Policy, metric: str) -> bool:
    """Whether the verdict on a night asks for a metric: what gates, the host, and how much went well."""
    return policy.gates_on(metric) or of_host(metric) or metric.endswith("success_rate")


def _judged(rows: pd.DataFrame, earlier: Earlier, night: str, policy: Policy) -> Verdict:
    known = annotated(
        rows, earlier.marks, earlier.lines, tonight=clean(night), now=datetime.now(UTC), policy=policy
    )
    is_last = known["night"] == night
    return judge(known[~is_last], known[is_last], policy=policy)


def _values(rows: pd.DataFrame) -> dict[str, float | None]:
    """The median of each metric over the valid blocks of a night, of all where none is valid."""
    known = rows[rows["valid"]] if rows["valid"].any() else rows
    medians = known.groupby("metric")["value"].median()
    return {str(name): None if pd.isna(value) else float(value) for name, value in medians.items()}


def _last_night(
    store: HistoryStore, tonight: Tonight, run_ids: Collection[str], judged: Verdict
) -> SuiteVerdict | None:
    """The last night with its targets; None where they cannot be read: a trend without them is one all the same."""
    try:
        runs = store.whole_runs(run_ids, suite=tonight.suite, tier=tonight.tier)
        stored = stored_targets(runs[0].row["targets"])
        promises = [Target(**{name: getattr(each, name) for name in Target.model_fields}) for each in stored]
    except (NightbenchError, ValueError):
        return None
    blocks = tuple(measurement_of(run) for run in runs)
    return SuiteVerdict(shown(blocks), judge_night(promises, blocks), blocks=blocks, judged=judged)
