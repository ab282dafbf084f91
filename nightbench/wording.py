"""Numbers in a sentence."""

from __future__ import annotations


def moved(change: float, places: int = 1) -> str:
    """A relative change with its sign: ``+17.4 %``, ``−3.0 %``."""
    return f"{100 * change:+,.{places}f} %".replace("-", "−")


def share(size: float) -> str:
    """A relative size: ``12 %``, ``0.5 %``."""
    return f"{100 * size:,.3g} %"


def amount(count: int, what: str) -> str:
    """So many of something that an s makes several of: ``1 night``, ``3 nights``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
