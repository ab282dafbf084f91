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
    r"(?P<comment>--[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?)"
    r"|(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*+'?)"
    r"|(?P<text>(?:\b(?:[bBnNxX]|[uU]&))?'(?:[^']|'')*+'?)"
    r"|(?P<dollar>(?<![\w$])\$(?P<tag>[A-Za-z_]\w*+)?\$)"
    r"|(?P<name>\"(?:[^\"]|\"\")*+\"?|`[^`]*+`?)"
    r"|(?P<place>[$:@%?]\w++|%\(\w++\)s|[^\W\d]\w*+)"
    r"|(?P<number>\.?\d[\w.]*+)",
    re.DOTALL,
)
"""What SQL is read in, in one pass: of the PostgreSQL manual, Lexical Structure."""

_VALUE = f"'{REDACTED}'"
_FIRST_WORD = re.compile(r"\s*+(?P<word>[A-Za-z][A-Za-z_.]{0,29}+)(?![\w*.])")


def without_values(statement: str) -> str:
    """A statement with its literals and comments out; names, keywords and placeholders stay.

    Of a text that is no SQL (JSON, a command of another store), the first word stays if it is one of letters.
    """
    statement = whole_text(statement, BAG.text)
    if not _SQL.match(statement):
        first = _FIRST_WORD.match(scrub(statement))
        return f"{first['word']} {REDACTED}" if first else REDACTED
    return scrub("".join(_parts(statement)))


def _parts(statement: str) -> Iterator[str]:
    done = 0
    while part := _PART.search(statement, done):
        yield statement[done : part.start()]
        done = part.end()
        match part.lastgroup:
            case "comment":
                yield " "
            case "number":
                yield "?"
            case "escaped":
                yield _VALUE
            case "text":
                yield _VALUE
                if "\\" in part[0]:  # a dialect may have gone on behind this quote: what follows is uncertain
                    done = len(statement)
            case "dollar" | "tag":
                end = statement.find(part["dollar"], done)
                done = len(statement) if end < 0 else end + len(part["dollar"])
                yield _VALUE
            case _:
                yield part[0]
    yield statement[done:]


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
