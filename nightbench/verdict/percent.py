"""Relative numbers as percentages in a sentence."""

from __future__ import annotations


def moved(change: float, places: int = 1) -> str:
    """A relative change with its sign: ``+17.4 %``, ``−3.0 %``."""
    return f"{100 * change:+,.{places}f} %".replace("-", "−")


def share(size: float) -> str:
    """A relative size: ``12 %``, ``0.5 %``."""
    return f"{100 * size:,.3g} %"
