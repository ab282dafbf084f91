"""Spans of a text that hold secrets, and the text without them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

REDACTED: Final = "***"

Span = tuple[int, int]
"""Index of the first character and of the one behind the last."""


def without(text: str, spans: Iterable[Span]) -> str:
    """`text` with ``***`` for each span; those that touch become one, so that no rule hides a secret from another."""
    parts, done = [], 0
    for start, end in _merged(spans):
        parts += [text[done:start], REDACTED]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def unredacted(text: str, spans: Iterable[Span]) -> list[Span]:
    """Those of `spans` that hold something which is not redacted yet."""
    return [(start, end) for start, end in spans if start < end and text[start:end] != REDACTED]


def spans_of(pattern: re.Pattern[str], text: str) -> list[Span]:
    """Where `pattern` finds a secret: its group of that name, or all of the match."""
    group = "secret" if "secret" in pattern.groupindex else 0
    return [match.span(group) for match in pattern.finditer(text)]


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
