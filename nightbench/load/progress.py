"""What a running load test tells whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nightbench.plan import Suite


@dataclass(frozen=True)
class Progress:
    """The state of a running load test, about once a second.

    Attributes:
        phase: ``ramp``, ``warmup``, ``measure`` or ``drain``; before and after them ``prepare`` and ``cleanup``,
            where those take long.
        elapsed: Seconds since the ramp began.
        expected: Seconds that the plan takes, drain left out; None when it asks for a number of operations.
        active: Connected users or busy workers.
        rate: Operations completed in the last second.
        p95_ms: P95 response time so far, None before there is one.
        failed: Failed, timed-out and skipped operations so far, all phases.
        operations: How many counted operations are done, and how many are planned; None when the plan asks
            for a number of seconds.
        of: How many workers there are, of which `active` are busy; None of users.
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
    of: int | None = None


OnProgress = Callable[[Progress], None]

PULSE_SECONDS = 5.0
"""How often what takes long beside a load test says that it is at work."""


class Pulse:
    """Says that a generator is at work where it measures nothing: whoever waits gives up one that says nothing.

    Called again and again by what may take long, it tells it every `PULSE_SECONDS`, not when it begins.
    """

    def __init__(self, on_progress: OnProgress, suite: Suite, phase: str) -> None:
        self._on_progress = on_progress
        self._progress = Progress(suite, phase, 0.0, None, 0, 0.0, None, 0)
        self._began = self._said = time.monotonic()

    def __call__(self) -> None:
        """It is still at work."""
        now = time.monotonic()
        if now - self._said >= PULSE_SECONDS:
            self._said = now
            self._on_progress(replace(self._progress, elapsed=now - self._began))


def combined(parts: Sequence[Progress]) -> Progress:
    """What the shards of one load test tell, as that of one: the phase of the first, the P95 of the slowest."""
    return replace(
        parts[0],
        active=sum(part.active for part in parts),
        rate=sum(part.rate for part in parts),
        p95_ms=max((part.p95_ms for part in parts if part.p95_ms is not None), default=None),
        failed=sum(part.failed for part in parts),
        operations=_done(parts),
        of=sum(part.of for part in parts if part.of is not None) or None,
    )


def _done(parts: Sequence[Progress]) -> tuple[int, int] | None:
    """Of as many operations as each says are planned, which are those of all, how many all have done."""
    told = [part.operations for part in parts if part.operations is not None]
    return (sum(done for done, _ in told), max(planned for _, planned in told)) if told else None
