"""Every string of a JSON-like value, scrubbed."""

from __future__ import annotations

import re
from typing import Any

from nightbench.scrub.text import REDACTED, scrub

_SECRET_NAME = re.compile(
    r"(?:password|passwd|pwd|passphrase|token|authorization|secret|(?:api|access|private|secret|signing)[_-]?key)$",
    re.IGNORECASE,
)
"""A key whose value is a secret, whatever it looks like."""


def scrub_tree(value: Any) -> Any:
    """Scrub every string inside a JSON-like value of dicts, lists, tuples and scalars; and what has a secret's name."""
    match value:
        case str():
            return scrub(value)
        case dict():
            return {scrub(str(key)): _scrub_member(str(key), item) for key, item in value.items()}
        case list() | tuple():
            return [scrub_tree(item) for item in value]
        case _:
            return value


def _scrub_member(key: str, value: Any) -> Any:
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return REDACTED if is_scalar and _SECRET_NAME.search(key) else scrub_tree(value)
