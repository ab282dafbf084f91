"""The alert of a step that raised or a flow that crashed: there is no measurement to speak of, and that is the news."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from nightbench.alerts.alert import LEVELS, Alert
from nightbench.alerts.epoch import flow_of
from nightbench.errors import ExitCode, NightbenchError
from nightbench.plan import Suite, Tier
from nightbench.scrub import one_line

RUN = "run"
"""Stands for a metric in what is about a step or a flow."""


@dataclass(frozen=True)
class Failure:
    """A step of the night that raised instead of giving its result.

    Attributes:
        tier: In which tier; None when it was about the whole night.
        suite: In which suite; None when it was about the whole tier.
        environment: Of the night.
        night_id: Of the night.
        reason: One line, free of secrets.
        exit_code: What the command line makes of it.
        kind: ``crashed`` when the process of the flow is gone and somebody else tells of it.
    """

    tier: Tier | None
    suite: Suite | None
    environment: str
    night_id: str
    reason: str
    exit_code: ExitCode = ExitCode.INVALID
    kind: Literal["failed", "crashed"] = "failed"

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.reason}"

    @property
    def place(self) -> str:
        """What failed: a suite of a tier, a tier or the night."""
        return " ".join(word for word in (self.tier or "night", self.suite) if word)

    @property
    def run_id(self) -> str:
        """There was no run; its night stands for it."""
        return self.night_id


def failure_of(
    error: BaseException, tier: Tier | None, suite: Suite | None, environment: str, night_id: str
) -> Failure:
    """The failure that an error is."""
    code = error.exit_code if isinstance(error, NightbenchError) else ExitCode.INVALID
    return Failure(tier, suite, environment, night_id, reason_of(error), code)


def reason_of(error: BaseException) -> str:
    """What was raised, in one line that is free of secrets."""
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return "interrupted: it ended at once"
    text = str(error) if isinstance(error, NightbenchError) else f"{type(error).__name__}: {error}"
    return one_line(text)


def failure_alert(failure: Failure) -> Alert:
    """An error without numbers or ids in what groups it, so that a broken week is one issue."""
    return Alert(
        kind=failure.kind,
        suite=failure.suite or "all",
        tier=failure.tier or "all",
        metric=RUN,
        environment=failure.environment,
        level=LEVELS[failure.kind],
        title=f"{failure.place}: {failure.kind}",
        text=failure.reason,
        context={"night_id": failure.night_id, "reason": failure.reason},
        setup=flow_of(failure.night_id),
    )
