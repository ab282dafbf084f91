"""What to say: one alert for each thing that somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from nightbench.alerts.attachment import Attachment
from nightbench.measurement import Metric
from nightbench.verdict.judgement import Line
from nightbench.verdict.night_value import trusted
from nightbench.verdict.targets import LEAKED_ROWS, TargetResult
from nightbench.verdict.verdict import SuiteVerdict

Kind = Literal["target_missed", "regression", "invalid", "tenant_leak", "failed"]
Level = Literal["error", "warning"]

_LEVELS: Mapping[Kind, Level] = MappingProxyType(
    {
        "target_missed": "error",
        "tenant_leak": "error",
        "failed": "error",
        "regression": "warning",
        "invalid": "warning",
    }
)


@dataclass(frozen=True)
class Alert:
    """One thing to tell, without numbers or run ids in what groups it.

    Attributes:
        kind: What happened.
        suite: That it is about, or ``all``.
        tier: That it is about, or ``all``.
        metric: What it happened to; ``validity`` for an invalid or incomplete measurement.
        environment: Of the night.
        level: ``error`` or ``warning``.
        title: The same for every night on which it happens again.
        fingerprint: Alerts that share it are one issue.
        tags: To search by.
        context: The numbers behind it, JSON-like.
        links: Where to read more, by name.
        attachments: Files that go along, such as the chart of the metric.
    """

    kind: Kind
    suite: str
    tier: str
    metric: str
    environment: str
    level: Level
    title: str
    fingerprint: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


def alerts_of(verdicts: Iterable[SuiteVerdict]) -> tuple[Alert, ...]:
    """The alerts of a run: leaks and missed targets are errors, regressions and invalid measurements warnings.

    The targets of an invalid measurement are no news, but a leaked row is; what is muted is none either.
    """
    return tuple(alert for verdict in verdicts for alert in _alerts_of_suite(verdict))


def _alerts_of_suite(verdict: SuiteVerdict) -> Iterator[Alert]:
    if verdict.leaked:
        rows = [run.value(LEAKED_ROWS) or 0.0 for run in (*verdict.runs, *verdict.reruns)]
        yield _alert(
            verdict, "tenant_leak", LEAKED_ROWS, "rows of another tenant were read", {"value": max(rows)}
        )
    if not (verdict.trusted and verdict.complete):
        what = "the measurement is invalid" if verdict.complete else "the measurement is incomplete"
        reasons = [reason for run in verdict.runs if not trusted(run) for reason in run.validity.reasons]
        yield _alert(verdict, "invalid", "validity", what, {"reasons": reasons})
    if not verdict.trusted:
        return
    for target in verdict.missed:
        if not (verdict.leaked and target.metric == LEAKED_ROWS):
            yield _missed(verdict, target)
    for line in verdict.regressions:
        yield _regression(verdict, line)


def _missed(verdict: SuiteVerdict, target: TargetResult) -> Alert:
    metric = _metric(verdict, target.metric)
    context = {
        **asdict(target),
        "unit": metric.unit if metric else None,
        "n": metric.n if metric else 0,
        "missing": target.value is None,
    }
    return _alert(verdict, "target_missed", target.metric, f"{target.metric} misses its target", context)


def _regression(verdict: SuiteVerdict, line: Line) -> Alert:
    metric = _metric(verdict, line.metric)
    context = {
        "metric": line.metric,
        "value": line.value,
        "baseline": line.baseline,
        "unit": metric.unit if metric else None,
        "effect": line.effect,
        "interval": [line.low, line.high],
        "nights": line.nights,
        "p": line.p_adjusted if line.p_adjusted is not None else line.p,
        "layer": line.layer,
        "since": _since(verdict, line),
        "why": line.why,
    }
    return _alert(verdict, "regression", line.metric, f"{line.metric} is worse than before", context)


def _since(verdict: SuiteVerdict, line: Line) -> str | None:
    """The first night of the level that is worse, where the history tells; the last such change."""
    changes = () if verdict.judged is None else verdict.judged.changes
    return next(
        (change.night for change in reversed(changes) if change.metric == line.metric and change.point.worse),
        None,
    )


def _metric(verdict: SuiteVerdict, name: str) -> Metric | None:
    return next((metric for metric in verdict.values if metric.name == name), None)


def _alert(verdict: SuiteVerdict, kind: Kind, metric: str, what: str, context: Mapping[str, Any]) -> Alert:
    measurement = verdict.measurement
    suite, tier, environment = measurement.suite, measurement.tier, measurement.environment
    return Alert(
        kind=kind,
        suite=suite,
        tier=tier,
        metric=metric,
        environment=environment,
        level=_LEVELS[kind],
        title=f"{tier} {suite}: {what}",
        fingerprint=(kind, suite, tier, metric, environment),
        tags={"kind": kind, "suite": suite, "tier": tier, "metric": metric},
        context={
            "run_id": measurement.run_id,
            "night_id": measurement.night_id,
            "started_at": measurement.started_at,
            "duration_s": measurement.duration,
            **context,
        },
    )
