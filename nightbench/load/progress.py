"""What a running load test tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nightbench.plan import Suite


@dataclass(frozen=True)
class Progress:
    """The state of a running load test, about once a second.

    Attributes:
        phase: ``ramp``, ``warmup``, ``measure`` or ``drain``.
        elapsed: Seconds since the ramp began.
        expected: Seconds that the plan takes, drain left out.
        active: Connected users or busy workers.
        rate: Operations completed in the last second.
        p95_ms: P95 response time so far, None before there is one.
        failed: Failed and timed-out operations so far, all phases.
    """

    suite: Suite
    phase: str
    elapsed: float
    expected: float
    active: int
    rate: float
    p95_ms: float | None
    failed: int


OnProgress = Callable[[Progress], None]
