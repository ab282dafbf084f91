"""SQL statements and Redis commands without the values that stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nightbench.observability.privacy.bounds import BAG, whole_text
from nightbench.scrub import REDACTED, scrub

_SQL = re.compile(
    r"\s*+(?:--(?!-)|/\*|\(|(?:alter|analy[sz]e|begin|call|checkpoint|close|cluster|comment|commit|connect|copy|create"
    r"|deallocate|declare|delete|describe|discard|do|drop|end|exec|execute|explain|fetch|grant|import|insert|listen"
    r"|load|lock|merge|move|notify|pragma|prepare|reassign|refresh|reindex|release|replace|reset|revoke|rollback"
    r"|savepoint|security|select|set|show|start|table|truncate|unlisten|update|use|vacuum|values|with)\b)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?P<comment>--[^\n]*+|/\*)"
    r"|(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*+'?)"
    r"|(?P<text>(?:\b(?:[bBnNxX]|[uU]&))?'(?:[^']|'')*+'?)"
    r"|(?P<dollar>(?<![\w$])\$(?P<tag>[A-Za-z_]\w*+)?\$)"
    r"|(?P<name>\"(?:[^\"]|\"\")*+\"?|`[^`]*+`?)"
    r"|(?P<place>[$:@%?]\w++|%\(\w++\)s|[^\W\d]\w*+)"
    r"|(?P<number>\.?\d[\w.]*+)",
    re.DOTALL,
)
"""What SQL is read in, in one pass: of the PostgreSQL manual, Lexical Structure."""

_EDGE = re.compile(r"/\*|\*/")
_ROWS = re.compile(r"\bfrom\s{1,9}stdin\b[^;\n]*+[;\n]", re.IGNORECASE)
"""What follows a COPY are rows."""
_ROLE = re.compile(
    r"\s*+(?:set|create|alter|drop|reassign|grant|revoke)\s++(?:(?:session|local|owned\s++by)\s++)?(?:role|user|authorization)\s++"
    r"(?:if\s++(?:not\s++)?exists\s++)?(?P<who>\"(?:[^\"]|\"\")*+\"?|[^\s;'\"]++)",
    re.IGNORECASE,
)
"""Statements about whoever uses the database."""

_VALUE = f"'{REDACTED}'"
_FIRST_WORD = re.compile(r"\s*+(?P<word>[A-Za-z][A-Za-z_.]{0,29}+)(?![\w*.])")


def without_values(statement: str, *, quotes_texts: bool = False) -> str:
    """A statement with its literals and comments out; names, keywords and placeholders stay.

    Args:
        statement: Cut to a bounded length first.
        quotes_texts: Whether in its dialect a text may stand in double quotes, as in MySQL's and SQLite's; in
            PostgreSQL it is a name.

    Of a text that is no SQL (JSON, a command of another store), the first word stays if it is one of letters.
    """
    statement = whole_text(statement, BAG.text)
    if not _SQL.match(statement):
        first = _FIRST_WORD.match(scrub(statement))
        return f"{first['word']} {REDACTED}" if first else REDACTED
    if rows := _ROWS.search(statement):
        statement = statement[: rows.end()]
    if role := _ROLE.match(statement):
        statement = f"{statement[: role.start('who')]}?{statement[role.end('who') :]}"
    return scrub("".join(_parts(statement, quotes_texts=quotes_texts)))


def _parts(statement: str, *, quotes_texts: bool) -> Iterator[str]:
    done = 0
    while part := _PART.search(statement, done):
        yield statement[done : part.start()]
        done = part.end()
        match part.lastgroup:
            case "comment":
                done = _end_of_comment(statement, done) if part[0] == "/*" else done
                yield " "
            case "number":
                yield "?"
            case "escaped":
                yield _VALUE
            case "text" | "name" if part.lastgroup == "text" or (quotes_texts and part[0][0] == '"'):
                yield _VALUE
                # a dialect may have gone on behind this quote: what follows is uncertain
                done = len(statement) if "\\" in part[0] else done
            case "dollar" | "tag":
                done = _behind(part["dollar"], statement, done)
                yield _VALUE
            case _:
                yield part[0]
    yield statement[done:]


def _behind(quote: str, statement: str, at: int) -> int:
    end = statement.find(quote, at)
    return len(statement) if end < 0 else end + len(quote)


def _end_of_comment(statement: str, at: int) -> int:
    """Where a comment ends: PostgreSQL has them in one another, and where nobody nests, too much is taken for one."""
    depth = 1
    for edge in _EDGE.finditer(statement, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(statement)


def command(text: str) -> str:
    """A Redis command with its name and the first part of its key: ``GET 'session:***``."""
    words = whole_text(text, BAG.text).split(maxsplit=1)
    if not words:
        return text
    return scrub(words[0]) if len(words) == 1 else f"{scrub(words[0])} {key_of_cache(words[1])}"


_PREFIX = re.compile(r"[\s'\"]*+(?P<prefix>[A-Za-z_-]{1,30})[:.]")


def key_of_cache(key: str) -> str:
    """A key up to its first colon; what follows names whom it belongs to."""
    prefix = _PREFIX.match(key)
    return f"{prefix['prefix']}:{REDACTED}" if prefix else REDACTED
