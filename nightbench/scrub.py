"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports.

It works by value, so that a secret is found wherever it stands in a text.
"""

from __future__ import annotations

import re
from typing import Any

REDACTED = "***"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host, also with a password that holds an @
    (re.compile(r"(?P<head>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):[^\s/]*@"), rf"\g<head>:{REDACTED}@"),
    # libpq keywords and query parameters: password=…, token=…, 'api_key': '…'
    (
        re.compile(
            r"(?i)(?P<key>\b(?:password|passwd|pgpassword|passfile|token|access_token|secret|api_?key|apikey)\b"
            r"[\"']?\s*(?:=|:|%3D)\s*)(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s&;,)\"'}]+)"
        ),
        rf"\g<key>{REDACTED}",
    ),
    (re.compile(r"(?i)\b(?P<kind>bearer|basic)\s+[a-z0-9._~+/=-]{4,}"), rf"\g<kind> {REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), REDACTED),
)


def scrub(text: str) -> str:
    """Return `text` with passwords, tokens and credentials replaced by ``***``."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def scrub_tree(value: Any) -> Any:
    """Scrub every string inside a JSON-like value of dicts, lists, tuples and scalars."""
    match value:
        case str():
            return scrub(value)
        case dict():
            return {scrub(str(key)): scrub_tree(item) for key, item in value.items()}
        case list() | tuple():
            return [scrub_tree(item) for item in value]
        case _:
            return value
