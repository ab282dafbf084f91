"""What a misspelled name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(
    name: str, known: Iterable[str], *, otherwise: str | None = None, cutoff: float = 0.7
) -> str:
    """Advice for an unknown `name`: the one of `known` that is like it.

    Args:
        name: What was written.
        known: What could have been.
        otherwise: Where none is like it; all that are known when left out, "" where there are none.
        cutoff: How like it has to be, 0 to 1.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    if close:
        return f"did you mean {close[0]}?"
    if otherwise is not None:
        return otherwise
    return f"known are {', '.join(names)}" if names else ""
