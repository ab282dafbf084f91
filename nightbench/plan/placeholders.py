"""Placeholders such as ``${user}`` in the texts of a plan, and how much of such a text may be shown."""

from __future__ import annotations

import re

from nightbench.scrub import REDACTED, scrub

PLACEHOLDER = re.compile(r"\$\$|\$\{(?P<name>[^{}]*)\}")

LONGEST_LITERAL = 40
"""Characters between placeholders; more of them may be a token that was pasted in."""


_PERHAPS_A_SECRET = re.compile(r"[A-Za-z0-9]{16,}|(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{8,}")
"""What no word of a protocol looks like: long without a break, or of letters and digits and not short."""


def placeholders(text: str) -> set[str]:
    """The names of the placeholders in `text`, known or not."""
    return {found["name"] for found in PLACEHOLDER.finditer(text) if found["name"] is not None}


def masked(text: str) -> str:
    """`text` with its placeholders as they are, and without what stands between them and may be a secret."""
    parts, done = [], 0
    for found in PLACEHOLDER.finditer(text):
        parts += [_literal(text[done : found.start()]), found[0]]
        done = found.end()
    return scrub("".join([*parts, _literal(text[done:])]))


def _literal(text: str) -> str:
    if len(text) > LONGEST_LITERAL or _PERHAPS_A_SECRET.search(text) is not None:
        return REDACTED
    return text if scrub(text) == text else REDACTED
