"""What a database, its drivers and validators quote of the data: details, parameters, rejected values.

The words are those of PostgreSQL's message catalogue, psycopg, asyncpg, SQLAlchemy, MySQL and pydantic; what stays
is the sentence, so that one can tell what happened.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from nightbench.scrub.patterns import late
from nightbench.scrub.server_languages import HEADINGS, said_elsewhere
from nightbench.scrub.spans import REDACTED, Span, spans_of, without

_SIGNS = (
    "DETAIL", "contains (", ")=(", "param", "params", "invalid", "malformed", "out of range", "CONTEXT", "column ", "Duplicate entry",
    "value", "input_value", "query argument", "$1", "Token ", "JSON data", "LINE ", "near", "convert", "time data", "isoformat", "string format", "not a valid",
    "after", "value is (", "enthält (", "translate host name", "unexpected ", "query parameter",
    "[generated in", "[cached since", "[no key", "[raw sql", "[caching disabled", "[insertmanyvalues", "engine.Engine", "loc",
)  # fmt: skip
_END = late(
    rf"\n(?=[^\S\n]*+(?:{HEADINGS}|CONTEXT|HINT|STATEMENT|LOCATION|QUERY|WHERE|SCHEMA NAME|TABLE NAME|COLUMN NAME|CONSTRAINT NAME|LOG|ERROR|FATAL|Traceback"
    r"|During handling|The above exception|File \"|\[SQL|\[parameters|\(Background)|\d{4}-\d\d-\d\d)"
)
"""What follows on a detail, which may have line breaks in it."""
_ROW = late(
    r"(?:[Ff]ailing row contains|Row|duplicate key value is|Fehlgeschlagene Zeile enthält) \((?P<secret>)"
)
_KEY = late(r"(?<=[^\s=(])\)=\((?P<secret>)")
_LONGEST_NAMES = 400
_CLOSING = late(
    r"\) (?:already exists|is not present|is still referenced|conflicts with|is duplicated|does not)"
)
_DETAIL = late(
    r"\bDETAIL:[^\S\n]*+(?!Key \(|Failing row|Process \d+ waits|There (?:is|are) |\*{3})(?P<secret>[^\n]+)"
)
_PARAMETERS = late(
    r"(?:\[(?:generated )?parameters:[^\S\n]*(?P<secret>)|\b[Pp]arameters: (?P<rest>\$\d+ = [^\n]*)|(?:\b(?:(?:with|using|bind|sql|query) param(?:eter)?s:?|params ?[=:])"
    r"|\[(?:generated in|cached since|no key|raw sql|caching disabled|insertmanyvalues)[^\]\n]{0,60}\]|\bengine\.Engine(?![^\S\n]*\[))[^\S\n]*(?P<list>[(\[{][^\n]*))"
)
_NUMBERED = late(r"\$\d+ ?= ?(?P<secret>'(?:[^'\n]|'')*+'?|[^\s,;'\"()]++)")
_REJECTED = late(
    r"(?:(?:invalid (?:input (?:syntax|value) for [^:\n]{1,80}|value for [^:\n\"]{1,80}|\w+ (?:value|literal|format|string)|hexadecimal (?:data|digit)|URL|JSON)"
    r"|malformed \w+(?: \w+)? literal|[\w/]+(?: field)? value out of range)(?::)? ?\\*(?=[\"'])"
    r"|(?:, column [\w\"]+: |COPY [\w.\"]+, line \d+: |\bToken )\\*(?=\")|(?:for query argument \$\d+: |Duplicate entry |invalid literal for [\w()]{1,20}(?: with base \d+)?: "
    r"|could not convert string to \w+: |\btime data |[Ii]nvalid isoformat string: |[Uu]nknown string format: |does not match format |is not a valid [\w ]{1,30}: )\\*(?=['\"]))(?P<mark>.)"
)
"""What ends with the quote before a value."""
_CLOSES = late(r"[\"'](?=[\s,;.:()\]}\\]|$)", re.MULTILINE)
_OUT_OF_RANGE = late(r"\bvalue \\*\"(?P<secret>[^\"\n\\]{0,200})\\*\" is out of range")
_JSON_DATA = late(r"JSON data, line \d+: (?P<secret>[^\n]+)")
_UNTERMINATED = late(r"unterminated [\w ]{1,40} at or near (?P<secret>[^\n]+)")
_OF_A_DSN = late(
    r"(?:\bmissing \\*\"=\\*\" after|\binvalid integer value|\bunexpected spaces found in|\bunexpected character \S{1,4} in position \d+ in uri[^\n:]{0,80}:|\binvalid URI query parameter:)"
    r" \\*\"(?P<secret>[^\"\n\\]*+)"
)
"""What libpq quotes of a connection string that it cannot read: often the end of a password."""
_HOST_OF_A_DSN = late(r"\btranslate host name \\*\"(?P<secret>[^\"\n@\\]*+)@")
_INPUT = late(r"\binput_value=(?P<secret>[^\n]*)")
_INPUT_END = late(r", input_type=")
_MEMBER = late(r"[\"']input\\*[\"']\s?:\s?")
_MEMBER_END = late(
    r",\s?\\*[\"'](?:ctx|url|type|loc|msg)\\*[\"']\s?:|\}(?=\s*(?:,\s?\{|[\])\"']|$))", re.MULTILINE
)
"""Of an error as pydantic lists it: ``{'type': …, 'loc': …, 'msg': …, 'input': …}``."""


def server_words(text: str) -> str:
    """`text` without values that a server's or driver's error quotes."""
    spans = said_elsewhere(text)
    if any(sign in text for sign in _SIGNS):
        spans += [*_details(text), *_parameters(text), *_inputs(text), *_rejected(text)]
        for rule in (_DETAIL, _NUMBERED, _OUT_OF_RANGE, _JSON_DATA, _UNTERMINATED, _OF_A_DSN, _HOST_OF_A_DSN):
            spans += spans_of(rule, text)
    return without(
        text, [(start, end) for start, end in spans if start < end and text[start:end] != REDACTED]
    )


def _details(text: str) -> list[Span]:
    """Rows and keys: to the bracket that closes them, whatever brackets stand in the values."""
    if not any(sign in text for sign in ("contains (", ")=(", "Row (", "value is (", "enthält (")):
        return []
    ends = [match.start() for match in _END.finditer(text)]
    closings = [match.start() for match in _CLOSING.finditer(text)]
    spans = []
    done = 0
    for rule, known in ((_KEY, closings), (_ROW, [])):
        done = 0
        for match in rule.finditer(text):
            names = max(0, match.start() - _LONGEST_NAMES)
            if match.end() < done or (rule is _KEY and text.rfind("(", names, match.start()) < 0):
                continue
            last = _next(ends, match.end(), len(text))
            closing = _next(known, match.end(), -1)
            if not 0 <= closing < last:
                closing = text.rfind(")", match.end(), last)
            done = closing if closing >= 0 else last
            spans.append((match.end(), done))
    return spans


def _parameters(text: str) -> list[Span]:
    spans = []
    if any(sign in text for sign in ("aram", "s] ", "ago] ", "sql] ", "[insertmany", "engine.Engine")):
        for match in _PARAMETERS.finditer(text):
            if match["rest"] is not None or match["list"] is not None:
                spans.append(match.span("list" if match["rest"] is None else "rest"))
                continue
            line = text.find("\n", match.end())
            line = len(text) if line < 0 else line
            closing = text.rfind("]", match.end(), line)
            spans.append((match.end(), line if closing < 0 else closing))
    return spans


def _inputs(text: str) -> list[Span]:
    spans = []
    if "input_value=" in text:
        for match in _INPUT.finditer(text):
            start, end = match.span("secret")
            closing = _INPUT_END.search(text, start, end)
            spans.append((start, end if closing is None else closing.start()))
    return spans + _members(text) if "input" in text and "loc" in text and "msg" in text else spans


def _members(text: str) -> list[Span]:
    spans: list[Span] = []
    ends = [each.start() for each in _MEMBER_END.finditer(text)]
    place = 0
    while match := _MEMBER.search(text, place):
        line = text.find("\n", match.end())
        place = min(_next(ends, match.end(), len(text)), len(text) if line < 0 else line)
        spans.append((match.end(), place))
    return spans


def _rejected(text: str) -> list[Span]:
    """To the next quote that can close it, else to the end of the line."""
    spans: list[Span] = []
    closing: list[int] | None = None
    place = 0
    while match := _REJECTED.search(text, place):
        if closing is None:
            closing = [each.start() for each in _CLOSES.finditer(text)]
        line = text.find("\n", match.end())
        line = len(text) if line < 0 else line
        end = min(_next(closing, match.end(), line), line)
        spans.append((match.end(), end))
        place = max(end, match.end())
    return spans


def _next(places: list[int], start: int, default: int) -> int:
    found = bisect_left(places, start)
    return places[found] if found < len(places) else default
