"""What to say: one alert for each thing that somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from nightbench.verdict.targets import LEAKED_ROWS, TargetResult
from nightbench.verdict.verdict import SuiteVerdict

Kind = Literal["target_missed", "invalid", "tenant_leak", "failed"]
Level = Literal["error", "warning"]

_LEVELS: Mapping[Kind, Level] = MappingProxyType(
    {"target_missed": "error", "tenant_leak": "error", "invalid": "warning", "failed": "error"}
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


def alerts_of(verdicts: Iterable[SuiteVerdict]) -> tuple[Alert, ...]:
    """The alerts of a run: leaks and missed targets are errors, an invalid measurement is a warning.

    The targets of an invalid measurement are no news, but a leaked row is.
    """
    return tuple(alert for verdict in verdicts for alert in _alerts_of_suite(verdict))


def _alerts_of_suite(verdict: SuiteVerdict) -> Iterator[Alert]:
    if verdict.leaked:
        context = {"value": verdict.measurement.value(LEAKED_ROWS)}
        yield _alert(verdict, "tenant_leak", LEAKED_ROWS, "rows of another tenant were read", context)
    if not verdict.trusted:
        validity = verdict.measurement.validity
        what = "the measurement is invalid" if validity.complete else "the measurement is incomplete"
        yield _alert(verdict, "invalid", "validity", what, {"reasons": list(validity.reasons)})
        return
    for target in verdict.missed:
        if not (verdict.leaked and target.metric == LEAKED_ROWS):
            yield _missed(verdict, target)


def _missed(verdict: SuiteVerdict, target: TargetResult) -> Alert:
    metric = next((item for item in verdict.measurement.metrics if item.name == target.metric), None)
    context = {
        **asdict(target),
        "unit": metric.unit if metric else None,
        "n": metric.n if metric else 0,
        "missing": target.value is None,
    }
    return _alert(verdict, "target_missed", target.metric, f"{target.metric} misses its target", context)


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
