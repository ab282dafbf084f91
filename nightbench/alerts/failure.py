"""The alert of a step that raised: there is no measurement to speak of, and that is the news."""

from __future__ import annotations

from dataclasses import dataclass

from nightbench.alerts.alert import Alert
from nightbench.plan import Suite, Tier


@dataclass(frozen=True)
class FailedStep:
    """What failed, in the place of a measurement.

    Attributes:
        tier: None when the whole night failed.
        suite: None when the whole tier failed.
        reason: One line, free of secrets.
    """

    tier: Tier | None
    suite: Suite | None
    environment: str
    night_id: str
    reason: str

    @property
    def run_id(self) -> str:
        """There was no run; its night stands for it."""
        return self.night_id


def failure_alert(step: FailedStep) -> Alert:
    """An error without numbers or ids in what groups it, so that a broken week is one issue."""
    tier, suite = step.tier or "night", step.suite or "tier"
    return Alert(
        kind="failed",
        suite=suite,
        tier=tier,
        metric="run",
        environment=step.environment,
        level="error",
        title=f"{tier} {suite}: failed" if step.suite else f"{tier}: failed",
        fingerprint=("failed", suite, tier, "run", step.environment),
        tags={"kind": "failed", "suite": suite, "tier": tier, "metric": "run"},
        context={"night_id": step.night_id, "reason": step.reason},
    )
