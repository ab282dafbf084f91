"""What is no whole statement and has literals all the same: conditions of a plan, defaults, comments, rows, commands.

What a command of Redis stores goes where surely one is told of; its name and its key stay.
"""

from __future__ import annotations

import re

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span, spans_of, unredacted, without

_LITERAL = r"(?:[eEbBxXnN]|[uU]&)?\\*'(?P<secret>(?:[^'\n\\]|''|\\[^'\n])*+)"
_DEFAULT = late(rf"\bDEFAULT\s++{_LITERAL}")
_DEFAULT_OF_A_TABLE = late(rf"\bdefault\s++{_LITERAL}")
_COMMENT_IS = late(rf"\bcomment\s+on\s+[\w.\"() ,]{{1,200}}?\s+is\s+{_LITERAL}", re.IGNORECASE)
_TABLE = late(r"\b(?:create|alter)\s+(?:\w+\s+){0,2}table\b", re.IGNORECASE)
_PLAN = late(
    r"\b(?:(?:(?:Join|One-Time|Run|Startup|Rows? Removed by)? ?Filter|(?:Index|Recheck|Hash|Merge|TID|Tid) Cond|Order By|Sort Key|Group Key|Output|Cache Key"
    r"|Function Call|Table Function Call|Params Evaluated|Remote SQL|Conflict Filter))\\*\"?:(?P<condition>[^\n]+)"
)
_LITERAL_OF_A_PLAN = late(r"'(?P<secret>(?:[^']|'')*+)'")
_NUMBER_OF_A_PLAN = late(r"(?:[=<>]|\b(?:AND|OR))\s\(?(?P<secret>[-+]?\d[\d.]*+)(?![\w.%])")
_ROWS = late(
    r"\bcopy\s[^\n;]{1,400}?\sfrom\s+stdin[^\n]*+\n(?P<secret>[^\n]++)(?P<more>(?:\n[^\n]++)*+)",
    re.IGNORECASE,
)
_END_OF_ROWS = "\n\\."
_REDIS = (
    late(r"\bCommand # \d+ \((?P<command>\w+ ?\S*) (?P<secret>[^\n]*)\) of pipeline"),
    late(r"\bwith args beginning with: ?(?P<secret>[^\n]+)"),
    late(
        r"(?<![\w-])(?:HM?SET(?:NX)?|P?SETEX|SETNX|GETSET|[LR]PUSHX?|SADD|ZADD|XADD|PUBLISH|APPEND|LSET|LINSERT|PFADD|GEOADD) [^\s'\"]+ (?P<secret>[^\n'\"]+)"
    ),
    late(r"(?<![\w-])AUTH (?:[a-z][\w.-]* )?(?P<secret>(?=[^\s'\"]*(?:\d|[a-z][A-Z]))[^\s'\"]{5,})"),
    late(r"(?<![\w-])AUTH default (?P<secret>[^\s'\"]{3,})(?=[^\S\n]*(?:$|[\n'\"]))"),
    late(r"(?<![\w-])SET [\w.*-]*:[\w.:*-]* (?P<secret>[^\n'\"]+)"),
    late(r"(?<![\w-])SET [\w.*-]*:[\w.:*-]* \\*['\"](?P<secret>[^\n]+)"),
)


def fragments(text: str) -> str:
    """`text` without the literals of what is a part of a statement, or a command of Redis."""
    spans: list[Span] = []
    if "'" in text:
        spans += spans_of(_DEFAULT, text)
        low = text.lower()
        if "default" in low and _TABLE.search(text):
            spans += spans_of(_DEFAULT_OF_A_TABLE, text)
        if "comment" in low:
            spans += spans_of(_COMMENT_IS, text)
    if "Filter" in text or "Cond" in text or " Key" in text or "Output" in text or "Remote SQL" in text:
        spans += _conditions(text)
    if "stdin" in text or "STDIN" in text:
        spans += _rows(text)
    if " " in text and any(
        word in text
        for word in (
            "SET",
            "AUTH",
            "PUSH",
            "ADD ",
            "PUBLISH ",
            "Command # ",
            "with args",
            "APPEND ",
            "LINSERT ",
        )
    ):
        for rule in _REDIS:
            spans += spans_of(rule, text)
    return without(text, unredacted(text, spans))


def _conditions(text: str) -> list[Span]:
    return [
        found.span("secret")
        for line in _PLAN.finditer(text)
        for rule in (_LITERAL_OF_A_PLAN, _NUMBER_OF_A_PLAN)
        for found in rule.finditer(text, *line.span("condition"))
    ]


def _rows(text: str) -> list[Span]:
    spans = []
    for rows in _ROWS.finditer(text):
        start, end = rows.start("secret"), rows.end("more")
        last = text.find(_END_OF_ROWS, start, end)
        spans.append((start, end if last < 0 else last))
    return spans
