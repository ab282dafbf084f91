"""What to say: one alert for each thing that somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from nightbench.alerts import wording
from nightbench.alerts.epoch import Mark, epoch_of, measured_alike, same_setup
from nightbench.history.record import clean_text
from nightbench.measurement import Metric
from nightbench.verdict.judgement import Line
from nightbench.verdict.night_value import trusted
from nightbench.verdict.targets import LEAKED_ROWS, TargetResult
from nightbench.verdict.verdict import SuiteVerdict

Kind = Literal[
    "tenant_leak", "crashed", "failed", "target_missed", "invalid", "regression", "roll_up", "test"
]
"""The most severe first: in this order they are told when there are too many."""
Level = Literal["error", "warning", "info"]

LEVELS: Mapping[Kind, Level] = MappingProxyType(
    {
        "tenant_leak": "error",
        "crashed": "error",
        "failed": "error",
        "target_missed": "error",
        "invalid": "warning",
        "regression": "warning",
        "test": "info",
    }
)
"""By kind; a roll-up has the worst of what it lists."""
VALIDITY = "validity"
"""Stands for a metric in what is about a whole measurement."""


@dataclass(frozen=True)
class Alert:
    """One thing to tell, without numbers or run ids in what groups it.

    Attributes:
        kind: What happened.
        suite: That it is about, or ``all``.
        tier: That it is about, or ``all``.
        metric: What it happened to; ``validity`` for an invalid or incomplete measurement, ``run`` where there is none.
        environment: Of the night.
        level: ``error`` or ``warning``.
        title: The same for every night on which it happens again.
        text: What whoever is woken up reads below the title: the numbers, a line each.
        context: The numbers behind it, JSON-like.
        links: Where to read more, by name.
        setup: What it was measured with: only a night of the same can show that it is well again.
        epoch: In which what was normal for the metric has been the same; empty for what is told every night.
        release: Of the subject; None when it is not known.
    """

    kind: Kind
    suite: str
    tier: str
    metric: str
    environment: str
    level: Level
    title: str
    text: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    setup: str = ""
    epoch: str = ""
    release: str | None = None

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """Alerts that share it are one issue."""
        return (self.kind, self.suite, self.tier, self.metric, self.environment)

    @property
    def tags(self) -> dict[str, str]:
        """What to search by."""
        return {"kind": self.kind, "suite": self.suite, "tier": self.tier, "metric": self.metric}

    @property
    def key(self) -> tuple[str, ...]:
        """What is remembered of it from night to night is kept under this: as `OpenAlert.key`, which is scrubbed."""
        return (*(clean_text(part) for part in self.fingerprint), self.setup)


def alerts_of(verdicts: Iterable[SuiteVerdict], marks: Iterable[Mark] = ()) -> tuple[Alert, ...]:
    """The alerts of a run: leaks and missed targets are errors, regressions and invalid measurements warnings.

    The targets of an invalid measurement are no news, but a leaked row is; what is muted is none either.

    Args:
        verdicts: One for each suite.
        marks: What people said of earlier nights; they begin the epochs of regressions.
    """
    known = tuple(marks)
    return tuple(alert for verdict in verdicts for alert in _alerts_of_suite(verdict, known))


def _alerts_of_suite(verdict: SuiteVerdict, marks: tuple[Mark, ...]) -> Iterator[Alert]:
    if verdict.leaked:
        yield _leak(verdict)
    if not (verdict.trusted and verdict.complete):
        yield _invalid(verdict)
    if not verdict.trusted:
        return
    for target in verdict.missed:
        if not (verdict.leaked and target.metric == LEAKED_ROWS):
            yield _missed(verdict, target)
    for line in verdict.regressions:
        yield _regression(verdict, line, marks)


def _leak(verdict: SuiteVerdict) -> Alert:
    rows = max(run.value(LEAKED_ROWS) or 0.0 for run in (*verdict.runs, *verdict.reruns))
    what = "rows of another tenant were read"
    return _alert(verdict, "tenant_leak", LEAKED_ROWS, what, text=wording.leak(rows), context={"value": rows})


def _invalid(verdict: SuiteVerdict) -> Alert:
    what = "the measurement is invalid" if verdict.complete else "the measurement is incomplete"
    reasons = [reason for run in verdict.runs if not trusted(run) for reason in run.validity.reasons]
    text = wording.listed(reasons)
    return _alert(verdict, "invalid", VALIDITY, what, text=text, context={"reasons": reasons})


def _missed(verdict: SuiteVerdict, target: TargetResult) -> Alert:
    metric = _metric(verdict, target.metric)
    unit, samples = (metric.unit, metric.n) if metric else (None, 0)
    context = {**asdict(target), "unit": unit, "n": samples, "missing": target.value is None}
    text, what = wording.missed(target, unit, samples), f"{target.metric} misses its target"
    return _alert(verdict, "target_missed", target.metric, what, text=text, context=context)


def _regression(verdict: SuiteVerdict, line: Line, marks: tuple[Mark, ...]) -> Alert:
    metric = _metric(verdict, line.metric)
    context = {
        "metric": line.metric,
        "value": line.value,
        "baseline": line.baseline,
        "unit": metric.unit if metric else None,
        "effect": line.effect,
        "interval": [line.low, line.high],
        "n": metric.n if metric else 0,
        "nights": line.nights,
        "p": line.p_adjusted if line.p_adjusted is not None else line.p,
        "layer": line.layer,
        "since": line.since,
        "why": line.why,
    }
    return _alert(
        verdict,
        "regression",
        line.metric,
        f"{line.metric} is worse than before",
        text=wording.regression(line, metric.unit if metric else None),
        context=context,
        setup=measured_alike(verdict.measurement),
        epoch=epoch_of(marks, line.suite, line.tier, line.metric),
    )


def _metric(verdict: SuiteVerdict, name: str) -> Metric | None:
    return next((metric for metric in verdict.values if metric.name == name), None)


def _alert(
    verdict: SuiteVerdict,
    kind: Kind,
    metric: str,
    what: str,
    *,
    text: str,
    context: Mapping[str, Any],
    setup: str | None = None,
    epoch: str = "",
) -> Alert:
    measurement = verdict.measurement
    return Alert(
        kind=kind,
        suite=measurement.suite,
        tier=measurement.tier,
        metric=metric,
        environment=measurement.environment,
        level=LEVELS[kind],
        title=f"{measurement.tier} {measurement.suite}: {what}",
        text=text,
        context={
            "run_id": measurement.run_id,
            "night_id": measurement.night_id,
            "started_at": measurement.started_at,
            "duration_s": measurement.duration,
            "subject": measurement.subject.get("address"),
            **context,
        },
        setup=same_setup(measurement) if setup is None else setup,
        epoch=epoch,
        release=measurement.release,
    )
