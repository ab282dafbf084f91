"""What the history says of each metric that gates, suite by suite, without a new measurement: data for any report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import pandas as pd

from nightbench.history.marks import Mark, night_of, said_invalid
from nightbench.history.record import clean
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement
from nightbench.metric_history import SuiteNights, Tonight, nights_of
from nightbench.plan import Suite, Tier
from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.promises import is_certain
from nightbench.report.stored_run import measurement_of, stored_targets
from nightbench.target import Target
from nightbench.tier_verdict import Earlier, with_its_mute
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
        usual: The earlier nights that are valid, of which nobody and no verdict spoke ill, and that were measured as
            the last one, oldest first.
        marks: What was said of them by people.
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
    usual: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()


def suite_trend(
    store: HistoryStore, environment: str, policy: Policy, tier: Tier, suite: Suite, *, nights: int
) -> SuiteTrend | None:
    """The trend of one suite of one tier; None when it has no nights.

    Args:
        store: Where the nights lie.
        environment: Theirs.
        policy: How the last night is judged.
        tier: Which.
        suite: Which.
        nights: How many are looked at, the last ones.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
    """
    rows = store.nights(
        environment,
        suite=suite,
        tier=tier,
        last=nights,
        roles=("night", "rerun"),
        metrics=partial(_bears_on, policy),
    )
    of_night = rows["role"].eq("night")
    if not of_night.any():
        return None
    lines = store.lines(environment, suite=suite, tier=tier)
    earlier = Earlier(rows[of_night].reset_index(drop=True), lines, store.marks(environment))
    return _trend(store, earlier, rows[~of_night], policy)


def _trend(store: HistoryStore, earlier: Earlier, reruns: pd.DataFrame, policy: Policy) -> SuiteTrend:
    rows = earlier.nights
    last = rows.iloc[-1]
    tonight = Tonight(
        night=str(last["night"]),
        started_at=last["started_at"].to_pydatetime(),
        suite=str(last["suite"]),
        tier=str(last["tier"]),
        environment=str(last["environment"]),
    )
    known = annotated(
        rows, earlier.marks, earlier.lines, tonight=clean(tonight.night), now=datetime.now(UTC), policy=policy
    )
    repeated = reruns[reruns["night"] == tonight.night]
    judged = _judged(known, repeated, tonight.night, earlier.marks, policy)
    of_tonight = rows[rows["night"] == tonight.night]
    run_ids = pd.concat([of_tonight, repeated])["run_id"].astype(str).unique()
    marks = tuple(mark for mark in earlier.marks if (mark.suite, mark.tier) == (tonight.suite, tonight.tier))
    verdict = _last_night(store, tonight, run_ids, judged, _taken_back(tonight, marks))
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
        usual=_usual(known, tonight.night),
        marks=marks,
    )


def _usual(known: pd.DataFrame, tonight: str) -> tuple[str, ...]:
    """Whatever is flagged of a night, or taken back, is flagged in all its rows of some metric."""
    alike = known["fingerprint"].isin(known.loc[known["night"] == tonight, "fingerprint"].unique())
    good = alike & known["valid"] & ~known["flagged"]
    of_night = good.groupby(known["night"], sort=False).agg("mean")
    return tuple(str(night) for night, share in of_night.items() if share > 0.5 and night != tonight)


def _blocks(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    blocks = rows.drop_duplicates(["night", "run_id"]).sort_values("valid", ascending=False, kind="stable")
    found: dict[str, list[str]] = {}
    for night, run in zip(blocks["night"].tolist(), blocks["run_id"].astype(str).tolist(), strict=True):
        found.setdefault(night, []).append(run)
    return {night: tuple(runs) for night, runs in found.items()}


def _bears_on(policy: Policy, metric: str) -> bool:
    """Whether the verdict on a night asks for a metric: what gates, the host, and how much went well."""
    return policy.gates_on(metric) or of_host(metric) or metric.endswith("success_rate")


def _judged(
    known: pd.DataFrame, reruns: pd.DataFrame, night: str, marks: Sequence[Mark], policy: Policy
) -> Verdict:
    is_last = known["night"] == night
    judged = judge(known[~is_last], known[is_last], policy=policy, reruns=reruns if len(reruns) else None)
    return replace(judged, lines=tuple(with_its_mute(line, marks) for line in judged.lines))


def _values(rows: pd.DataFrame) -> dict[str, float | None]:
    """The median of each metric over the valid blocks of a night, of all where none is valid."""
    known = rows[rows["valid"]] if rows["valid"].any() else rows
    medians = known.groupby("metric")["value"].median()
    return {str(name): None if pd.isna(value) else float(value) for name, value in medians.items()}


def _taken_back(tonight: Tonight, marks: Sequence[Mark]) -> tuple[str, ...]:
    """Who said that the last night is no measurement, and why; nothing where nobody did."""
    night = (tonight.environment, tonight.suite, tonight.tier, tonight.night)
    if night not in said_invalid(marks):
        return ()
    return tuple(
        f"said to be invalid by {mark.who}: {mark.why}"
        for mark in marks
        if mark.kind == "invalid" and night_of(mark) == night
    )


def _last_night(
    store: HistoryStore,
    tonight: Tonight,
    run_ids: Collection[str],
    judged: Verdict,
    taken_back: tuple[str, ...],
) -> SuiteVerdict | None:
    """The last night with its targets; None where they cannot be read: a trend without them is one all the same.

    What speaks against it is what its runs say, and what people said since: `taken_back`.
    """
    runs = store.whole_runs(run_ids, suite=tonight.suite, tier=tonight.tier)
    if len(runs) < len(run_ids):
        return None
    try:
        stored = stored_targets(runs[0].row["targets"])
        promises = [Target(**{name: getattr(each, name) for name in Target.model_fields}) for each in stored]
    except ValueError:
        return None
    measured = [_but(measurement_of(run), taken_back) for run in runs]
    blocks, reruns = (tuple(run for run in measured if run.role == role) for role in ("night", "rerun"))
    return SuiteVerdict(
        shown(blocks), judge_night(promises, blocks), blocks=blocks, reruns=reruns, judged=judged
    )


def _but(run: Measurement, reasons: tuple[str, ...]) -> Measurement:
    validity = replace(run.validity, reasons=(*run.validity.reasons, *reasons))
    return replace(run, validity=validity)
