"""Text of other people, without what would move, hide or reorder something on a terminal that shows it."""

from __future__ import annotations

import re
import unicodedata

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\)?"  # OSC and its kind: titles, links
    r"|\x1b[ -/]*[0-~]?"
)
"""ECMA-48, also cut off."""
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Of the Unicode Bidirectional Algorithm: text after one may be shown elsewhere than it stands."""


def visible(text: str) -> str:
    """`text` without terminal sequences and bidirectional controls; another control character becomes a blank."""
    if text.isprintable():
        return text
    plain = _SEQUENCE.sub("", text)
    return "".join(
        " " if unicodedata.category(each) == "Cc" else each for each in plain if each not in _REORDERING
    )
