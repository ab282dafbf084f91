"""How old something is, in words, and from when on a last night says nothing of tonight."""

from __future__ import annotations

from datetime import timedelta

STALE = timedelta(hours=36)
"""A night of every night is a day old, and half a day late."""


def age_of(age: timedelta) -> str:
    """``25 min``, ``44 h``, ``80 days``."""
    hours = max(0.0, age / timedelta(hours=1))
    if hours < 2:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
