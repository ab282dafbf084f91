"""What a running load test tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nightbench.plan import Suite


@dataclass(frozen=True)
class Progress:
    """The state of a running load test, about once a second.

    Attributes:
        phase: ``ramp``, ``warmup``, ``measure`` or ``drain``.
        elapsed: Seconds since the ramp began.
        expected: Seconds that the plan takes, drain left out; None when it asks for a number of operations.
        active: Connected users or busy workers.
        rate: Operations completed in the last second.
        p95_ms: P95 response time so far, None before there is one.
        failed: Failed, timed-out and skipped operations so far, all phases.
        operations: How many counted operations are done, and how many are planned; None when the plan asks
            for a number of seconds.
    """

    suite: Suite
    phase: str
    elapsed: float
    expected: float | None
    active: int
    rate: float
    p95_ms: float | None
    failed: int
    operations: tuple[int, int] | None = None


OnProgress = Callable[[Progress], None]


def combined(parts: Sequence[Progress]) -> Progress:
    """What the shards of one load test tell, as that of one: the phase of the first, the P95 of the slowest."""
    return replace(
        parts[0],
        active=sum(part.active for part in parts),
        rate=sum(part.rate for part in parts),
        p95_ms=max((part.p95_ms for part in parts if part.p95_ms is not None), default=None),
        failed=sum(part.failed for part in parts),
    )
