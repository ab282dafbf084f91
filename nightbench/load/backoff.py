"""How long who lost a connection waits before the next attempt."""

from __future__ import annotations

from nightbench.load.dice import uniform
from nightbench.load.phases import SECOND

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0
RECOVERED_SECONDS = 10.0
"""A connection that lasted longer than this was a good one: after its loss the pauses begin anew."""

_STREAM = 4


def pause_ns(attempt: int, *, user: int, seed: int) -> int:
    """The pause before an attempt, ns: it doubles each time up to a limit, and half of it is drawn.

    Equal jitter, ``d/2 + U(0, d/2)`` with ``d = min(30 s, 0.5 s · 2^attempt)`` (Brooker, "Exponential backoff
    and jitter", AWS Architecture Blog 2015): a server that comes back is not met by everybody at once, and
    nobody comes at once.

    Args:
        attempt: How many there were before, 0-based.
        user: Whose attempt it is.
        seed: Of the plan.
    """
    longest: float = min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 16))
    return round(longest * (1 + uniform(seed, _STREAM, user, attempt)) / 2 * SECOND)
