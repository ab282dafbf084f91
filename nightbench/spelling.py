"""What a misspelled name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice for an unknown `name`: the one of `known` that is like it, or all of them; "" where none are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(names)}" if names else ""
