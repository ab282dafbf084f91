"""The passwords of URLs, whatever characters stand in them.

What cannot be told from harmless text stays: a password that holds a line break, or one that reads as a
port followed by a blank, as in ``scheme://user:5432 more@host`` without a path.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from nightbench.scrub.patterns import late
from nightbench.scrub.quotes import Quotes
from nightbench.scrub.spans import Span

_URL = late(r"(?P<mark>(?<!\\)\\*[\"'`])?(?<![\w+.-])[\w+.-]*+://")
_OWN_URL = late(
    r"(?:(?<![\w+.-])(?:(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|wss?|https?)(?:\+\w+)?)"
    r"|(?<=\s)[\w+.-]++)://"
)
"""The beginning of a URL of its own, not of a part of the password before it."""
_USER = late(r"(?:[^\s:/?#\[]|\[[\da-fA-F:.%]*+\]|\[)*+:")
_LIKE_A_PORT = late(r"\d{1,5}(?=[\s/?#,;:.)\]}>\"'`]|$)|(?=\s|$)")
_AT = late("@")
_AT_A_HOST = late(r"@(?:\[[^\s\]@]*\]|[\w.,%-]*)(?:/|:\d)")
_BLANK = late(r"\s")


def passwords(line: str, quotes: Quotes) -> Iterator[Span]:
    """The password of each ``scheme://user:password@host``."""
    if "://" not in line or "@" not in line:
        return
    blanks, ats, hosts, urls = (_starts(pattern, line) for pattern in (_BLANK, _AT, _AT_A_HOST, _OWN_URL))
    done = 0
    for url in _URL.finditer(line):
        if url.end() <= done:
            continue
        user = _USER.match(line, url.end())
        closing = quotes.end(url["mark"], url.end())
        end = min(_next(urls, url.end(), line), len(line) if closing is None else closing)
        if user is None or user.end() > end:
            continue
        start = user.end()
        at = _last(ats, start, min(_next(blanks, start, line), end))
        at = max(at, _last(hosts, start, end))
        if at < 0 and not _LIKE_A_PORT.match(line, start):
            at = _last(ats, start, end)
            if at < 0 and closing is None:
                at = _last(ats, start, _next(urls, end + 1, line))
        if at > start:
            done = at
            yield start, at


def _starts(pattern: re.Pattern[str], line: str) -> list[int]:
    return [match.start() for match in pattern.finditer(line)]


def _next(places: list[int], start: int, line: str) -> int:
    found = bisect_left(places, start)
    return places[found] if found < len(places) else len(line)


def _last(places: list[int], start: int, end: int) -> int:
    found = bisect_left(places, end) - 1
    return places[found] if found >= 0 and places[found] >= start else -1
