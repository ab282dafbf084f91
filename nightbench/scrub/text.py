"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports.

It works by value, so that a secret is found wherever it stands in a text. Each rule finds spans of the
line, and those that touch become one, so that no rule can hide a secret from another. Every rule
looks at a line a few times at most: hostile text costs time in proportion to its length.

What cannot be told from harmless text stays: a password that holds a line break, or one that reads as a
port followed by a blank, as in ``scheme://user:5432 more@host`` without a path.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

REDACTED = "***"

_URL = re.compile(r"(?P<mark>(?<!\\)\\*[\"'`])?(?<![\w+.-])[\w+.-]*+://")
_OWN_URL = re.compile(
    r"(?:(?<![\w+.-])(?:(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|wss?|https?)(?:\+\w+)?)"
    r"|(?<=\s)[\w+.-]++)://"
)
"""The beginning of a URL of its own, not of a part of the password before it."""
_USER = re.compile(r"(?:[^\s:/?#\[]|\[[\da-fA-F:.%]*+\]|\[)*+:")
_LIKE_A_PORT = re.compile(r"\d{1,5}(?=[\s/?#,;:.)\]}>\"'`]|$)|(?=\s|$)")
_AT = re.compile("@")
_AT_A_HOST = re.compile(r"@(?:\[[^\s\]@]*\]|[\w.,%-]*)(?:/|:\d)")
_BLANK = re.compile(r"\s")

_KEY = re.compile(
    r"(?P<key>password|passwd|pwd|passphrase|passfile|token|authorization"
    r"|(?:api|access|private|secret|signing|sentry)[_-]?key|secret)(?:\\*[\"'`])?"
    r"[^\S\n]*(?P<sign>={1,2}>?|:=?|%3D)[^\S\n]*(?P<mark>\\*[\"'`])?",
    re.IGNORECASE,
)
_KIND = re.compile(r"(?:bearer|basic|digest|negotiate|token|sentry)\s+", re.IGNORECASE)
_WORD = re.compile(r"(?:\\.|\S)*+")
_QUERY_WORD = re.compile(r"[^\s&]*")
_BEARER = re.compile(
    r"\b(?:bearer|basic)\s+(?!(?:tokens?|auth[a-z]*|credentials?|schemes?|headers?)[.,;:)]?(?:\s|$))"
    r"(?P<secret>[a-z0-9._~+/=-]{4,})",
    re.IGNORECASE,
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]++\.[\w-]++(?:\.[\w-]*+)?")

_MARK = re.compile(r"(?<!\\)(?P<escapes>\\*)(?P<quote>[\"'`])(?=[\s,;:.)\]}>&\\\"'`]|$)")
_AFTER_A_VALUE = "\"'`)]}>,;."

_MOST_PASSES = 8

_Span = tuple[int, int]


def scrub(text: str) -> str:
    """Return `text` with passwords, tokens and credentials replaced by ``***``."""
    return "\n".join(_scrub_line(line) for line in text.split("\n"))


def _scrub_line(line: str) -> str:
    """Scrub until nothing changes: what a secret hid from the rules may be clear without it."""
    for _ in range(_MOST_PASSES):
        scrubbed = _scrub_once(line)
        if scrubbed == line:
            break
        line = scrubbed
    return line


def _scrub_once(line: str) -> str:
    quotes = _Quotes(line)
    passwords = list(_passwords(line, quotes))
    spans = [*passwords, *_values(line, quotes, {start for start, _ in passwords})]
    spans += [match.span("secret") for match in _BEARER.finditer(line)]
    spans += [match.span() for match in _JWT.finditer(line)]
    parts, done = [], 0
    for start, end in _merged(spans):
        parts += [line[done:start], REDACTED]
        done = end
    return "".join([*parts, line[done:]])


def _merged(spans: list[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class _Quotes:
    """Where quoted texts of a line end, also of quotes that JSON or `repr` escaped once more."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._ends: dict[str, list[int]] = {}

    def end(self, mark: str | None, start: int) -> int | None:
        """Index of the quote that closes what `mark` opened before `start`, None without one."""
        if mark is None or len(mark) > 8:
            return None
        ends = self._ends.get(mark)
        if ends is None:
            ends = self._ends[mark] = list(self._closing(mark))
        found = bisect_left(ends, start)
        return ends[found] if found < len(ends) else None

    def _closing(self, mark: str) -> Iterator[int]:
        depth = len(mark) - 1
        for match in _MARK.finditer(self._line):
            escapes = len(match["escapes"])
            if match["quote"] == mark[-1] and escapes % (2 * (depth + 1)) == depth:
                yield match.end() - 1 - depth


def _passwords(line: str, quotes: _Quotes) -> Iterator[_Span]:
    """The password of each ``scheme://user:password@host``, whatever characters stand in it."""
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


def _values(line: str, quotes: _Quotes, passwords: set[int]) -> Iterator[_Span]:
    """The values of libpq keywords, query parameters, headers and JSON members that hold secrets."""
    done = 0
    for match in _KEY.finditer(line):
        before = line[match.start() - 1 : match.start()]
        is_address = before == "/" and match["sign"] == ":"  # a file's path or a host
        if match.end() <= done or is_address or match.end() in passwords:
            continue
        start = match.end()
        if match["mark"]:
            closing = quotes.end(match["mark"], start)
            end = len(line) if closing is None else closing
        else:
            if match["key"].lower() == "authorization" and (kind := _KIND.match(line, start)):
                start = kind.end()
            end = _end_of_word(line, start, in_query=_begins_with(line, match.start()) in ("?", "&"))
        if end > start:
            done = end
            yield start, end


def _begins_with(line: str, place: int) -> str:
    """The character before the word that `place` stands in."""
    while place > 0 and (line[place - 1].isalnum() or line[place - 1] in "_-"):
        place -= 1
    return line[place - 1] if place > 0 else ""


def _end_of_word(line: str, start: int, *, in_query: bool) -> int:
    match = (_QUERY_WORD if in_query else _WORD).match(line, start)
    word = match[0] if match else ""
    return start + (len(word.rstrip(_AFTER_A_VALUE)) or len(word))
