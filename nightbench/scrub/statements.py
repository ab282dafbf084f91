"""The literals of SQL statements that stand in a text.

Names, keywords, placeholders and what bounds a result (``LIMIT 20``) stay, so that one can tell which statement
it was. What defines a schema (``CREATE INDEX … WHERE status = 'open'``) is no data and stays too.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span, unredacted, without

_BEGIN = late(
    r"(?<![\w.-])(?:(?P<select>select)(?:\s+(?:[\w*\"'(.$%:/-]|%)|(?=\*))|insert\s+(?:ignore\s+)?into\s|delete\s+from\s|merge\s+into\s|replace\s+into\s"
    r"|update\s+(?:only\s+)?[\w.\"\[\]`]+(?:\s+(?:as\s+)?\w+)?\s+set\s|copy\s+[\w.\"]+\s*(?:\(|from\b)|prepare\s+\w+\s*(?:\([^()]{0,200}\)\s*)?as\s|do\s+(?:language\s+\w+\s+)?(?=\$\w*\$|\\*')|on\s+conflict\s|set_config\s*\("
    r"|(?-i:VALUES)\s*\(|(?-i:WHERE)\s+[\w.\"`(]+\s*(?:[=<>!~]|in\b|like\b|ilike\b|between\b|not\b|is\b|@>|->)|where\s+[\w.\"`(]+\s*(?:=|like|in)\s*\(?\s*'"
    r"|(?:(?-i:CALL)|(?<![^\n])call)\s+[\w.]+\s*\(|(?-i:EXECUTE)\s+\w+\s*\(|(?-i:NOTIFY)\s+\w+\s*,"
    r"|(?:(?-i:SET)|(?<![^\n])set|set\s+(?:local|session))\s+[\w.\"]+\s*(?:=|to)\s)",
    re.IGNORECASE,
)
_GOES_ON = late(
    r"\b(?:from|where|union|values|returning|as|limit)\b|::|\w\(|(?<![\w'])(?:[ebxnq]|u&)'(?=[^'\n]*')|\$(?:[a-z_]\w*)?\$|/\*|(?:(?<=select)|(?<=select\s)|,)\s{0,3}\\*'",
    re.IGNORECASE,
)
"""What tells a ``SELECT`` from prose that selects."""
_DEFINES = late(
    r"\b(?:create|alter|drop|comment\s+on|grant|revoke)\s+(?:\w+\s+){0,4}?(?:index|table|policy|view|function|trigger|role|user|type|schema|statistics|extension|column|on)\b",
    re.IGNORECASE,
)
_END = late(
    r";[^\S\n]*+(?=\n|$)|\n(?=[^\S\n]*+(?:Traceback|File \"|\[SQL|\[parameters|\(Background|HINT:|DETAIL:|CONTEXT:|\n))|(?<=\S)\](?=[^\S\n]*+(?:\n|$))"
)

_BEFORE = 1000

_NAMES = late(r"(?:->>?|#>>?|current_setting ?\(|\binterval)\s*$", re.IGNORECASE)
"""Before the name of a member, of a setting, or before a length of time."""
_LONGEST_NAMING = 20
_STANDARD = late(r"(?<![\w'])(?:[eEbBxXnNqQ]|[uU]&)?(?P<open>\\*')(?P<secret>(?:[^']|'')*+)(?:'|\Z)")
_ESCAPING = late(r"(?<![\w'\\])(?:[eEbBxXnNqQ]|[uU]&)?'(?P<secret>(?:[^'\\]|\\.|'')*+)(?:'|\Z)", re.DOTALL)
_DOLLARS = late(r"(?<![\w$])(?P<tag>\$(?:[A-Za-z_]\w{0,30})?\$)(?P<secret>.*?)(?:(?P=tag)|\Z)", re.DOTALL)
_QUOTED = late(
    r"(?:[=<>(,]|\blike|\bin \()\s*+\\*\"(?P<secret>[^\"\n\\]*+)\\*\"(?!\s*(?:[.(]|as\b))", re.IGNORECASE
)
_NUMBER = late(
    r"(?:[=<>](?![=<>])|\b(?:between|and|like|then|else|any|all|not))\s*+\(?\s*+(?P<secret>[-+]?(?:0x[0-9A-Fa-f]+|\d[\d_]*+(?:\.\d++)?(?:[eE][-+]?\d++)?))(?![\w.%])",
    re.IGNORECASE,
)
_LIST = late(
    r"\b(?:in|values|array|any|all|call\s+[\w.]+|execute\s+\w+)\s*[(\[](?P<secret>[^()\[\]]*+)[)\]](?P<more>(?:\s*,\s*\([^()]*+\))*+)",
    re.IGNORECASE,
)
_COMMENT = late(r"(?<!-)--(?![-a-z])(?P<secret>[^\n]++)|/\*|\*/")
_IN_A_LIST = late(r"(?<![\w.$:%])[-+]?\d[\d_]*+(?:\.\d++)?(?:[eE][-+]?\d++)?(?![\w.])")


def statements(text: str) -> str:
    """`text` without the literals of the statements in it."""
    begin = _BEGIN.search(text)
    if begin is None:
        return text
    ends = [match.start() for match in _END.finditer(text)]
    goes_on = [match.start() for match in _GOES_ON.finditer(text)]
    spans: list[Span] = []
    while begin is not None:
        end = _next(ends, begin.end(), len(text))
        place = begin.end()
        is_prose = begin["select"] is not None and _next(goes_on, begin.end("select"), end) >= end
        if not is_prose:
            place = max(end, place)
            if not _defines(text[max(0, begin.start() - _BEFORE) : begin.start()]):
                found = _literals(text[begin.start() : end])
                spans += [(begin.start() + start, begin.start() + stop) for start, stop in found]
        begin = _BEGIN.search(text, place)
    return without(text, unredacted(text, spans))


def _next(places: list[int], start: int, default: int) -> int:
    found = bisect_left(places, start)
    return places[found] if found < len(places) else default


def _defines(before: str) -> bool:
    last = max((match.end() for match in _DEFINES.finditer(before)), default=None)
    return last is not None and _END.search(before, last) is None


def _literals(statement: str) -> list[Span]:
    """Both as the standard quotes and as backslashes do, whichever the server takes: what either calls a literal goes."""
    rules = [_NUMBER]
    if "'" in statement:
        rules += [_STANDARD, _ESCAPING]
    if "$" in statement:
        rules += [_DOLLARS]
    if '"' in statement:
        rules += [_QUOTED]
    spans = [
        match.span("secret")
        for rule in rules
        for match in rule.finditer(statement)
        if not _NAMES.search(statement, max(0, match.start() - _LONGEST_NAMING), match.start())
    ]
    if "--" in statement or "/*" in statement:
        spans += _comments(statement)
    for found in _LIST.finditer(statement):
        spans += [
            (number.start(), number.end())
            for group in ("secret", "more")
            for number in _IN_A_LIST.finditer(statement, *found.span(group))
        ]
    return spans


def _comments(statement: str) -> list[Span]:
    """To the end of the line, or between the outermost of nested marks."""
    spans: list[Span] = []
    depth = start = 0
    for mark in _COMMENT.finditer(statement):
        if mark[0] == "/*":
            start = start if depth else mark.end()
            depth += 1
        elif mark[0] == "*/":
            depth = max(depth - 1, 0)
            if depth == 0 and start:
                spans.append((start, mark.start()))
                start = 0
        elif depth == 0:
            spans.append(mark.span("secret"))
    return [*spans, (start, len(statement))] if depth else spans
