"""What may be sent of one text, name or identifier."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from nightbench.observability.privacy.bounds import BAG, whole_text
from nightbench.scrub import REDACTED, scrub, scrub_tree

_IDENTIFIER = re.compile(
    r"\d{1,6}|[0-9a-fA-F]{16}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_DIGITS = re.compile(r"\d{1,20}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?")
_WORD = re.compile(r"[A-Za-z][\w.-]{0,99}")
_LETTERS = re.compile(r"[A-Za-z_]{0,20}")
_SMALL = 1_000_000  # of a phone or card number there are more digits


def sendable(value: Any) -> Any:
    """A text scrubbed, a tree scrubbed by its keys and values, anything else as it is."""
    if _is_harmless(value):
        return value
    return scrub(whole_text(value, BAG.text)) if isinstance(value, str) else _tree(value)


def member(key: str, value: Any) -> dict[str, Any]:
    """``{key: value}`` scrubbed: by the key's name, by value, and the key itself."""
    if _is_harmless(value) and _WORD.fullmatch(key) and not is_secret_name(key):
        return {key: value}
    tree: dict[str, Any] = _tree({key: value})
    return tree


def _tree(value: Any) -> Any:
    return _without_long_numbers(scrub_tree(value))


def _without_long_numbers(value: Any) -> Any:
    """What is plain data with its integers scrubbed as texts: of a card or a phone there are numbers as well."""
    if isinstance(value, dict):
        return {key: _without_long_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_long_numbers(each) for each in value]
    if isinstance(value, int) and abs(value) >= _SMALL and scrub(str(value)) != str(value):
        return REDACTED
    return value


def _is_harmless(value: Any) -> bool:
    """Whether no rule could find anything in a value: a short word of letters, a small number."""
    if isinstance(value, str):
        return _LETTERS.fullmatch(value) is not None
    return (
        value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _SMALL)
    )


def identifier(value: Any) -> Any:
    """An identifier of the protocol as it is: 16 or 32 hexadecimal digits, a UUID, a small number; else scrubbed."""
    is_one = isinstance(value, str) and _IDENTIFIER.fullmatch(value)
    return value if is_one or _is_harmless(value) else sendable(value)


def external_identifier(value: Any) -> Any:
    """One that a caller has chosen: what is of digits alone may be the number of a card or a phone."""
    is_number = isinstance(value, str) and value.isdigit()
    return sendable(value) if is_number else identifier(value)


def thread_identifier(value: Any) -> Any:
    """The number of a thread, which is an address of memory."""
    is_one = isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value))
    return value if is_one else identifier(value)


def instant(value: Any) -> Any:
    """Seconds since the epoch or an ISO 8601 instant as it is; anything else scrubbed."""
    is_iso = isinstance(value, str) and _INSTANT.fullmatch(value)
    return value if is_iso or isinstance(value, int | float) else sendable(value)


def word(value: Any) -> Any:
    """One word of a protocol (a level, a type, an operation) as it is; anything else scrubbed."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else sendable(value)


@lru_cache(maxsize=2048)
def path(value: str) -> str:
    """A file's path scrubbed; remembered, since the frames of a program name the same few files again and again."""
    return scrub(whole_text(value, 1_024))


@lru_cache(maxsize=2048)
def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it looks like."""
    return bool(scrub_tree({name: "x"}) != {name: "x"})
