"""Patterns that are compiled when a text first needs them: most programs that import the scrubber never do."""

from __future__ import annotations

import re
from typing import Any, Final, cast

BLANK: Final = r" \t\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space of one line, for a class of characters; `views` writes escaped white space with the rarer of them."""
DASH: Final = r"\-\u2010-\u2015\u2212\ufe58"


def late(pattern: str, flags: int | re.RegexFlag = 0) -> re.Pattern[str]:
    """What `re.compile` returns, but compiled at first use."""
    return cast("re.Pattern[str]", _Late(pattern, flags))


class _Late:
    """Becomes the pattern attribute by attribute: each is looked up once, later uses cost what the pattern's do."""

    def __init__(self, pattern: str, flags: int | re.RegexFlag) -> None:
        self._source = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)
        self.__dict__[name] = found
        return found
