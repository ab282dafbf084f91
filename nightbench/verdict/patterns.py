"""Metric names by pattern: ``*`` stands for any text, ``?`` for one character, and ``[`` for itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T")


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is what `pattern` means; not `fnmatch`, to which ``query[profile].wait`` is a class of characters."""
    return _compiled(pattern).fullmatch(name) is not None


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Whether `name` is what one of `patterns` means."""
    return any(matches(pattern, name) for pattern in patterns)


def first_match(rules: Mapping[str, _T], name: str, otherwise: _T) -> _T:
    """What the first rule says whose pattern fits `name`."""
    return next((value for pattern, value in rules.items() if matches(pattern, name)), otherwise)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(char, re.escape(char)) for char in pattern), re.DOTALL)
