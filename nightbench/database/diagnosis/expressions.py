"""SQL expressions as PostgreSQL itself prints them, in pieces: filters of plans, conditions of policies. Pure.

Only what is certain is understood: what does not look as expected is nothing that anybody builds on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

_TOKEN = re.compile(
    r"(?P<text>[EeBbXxNn]?'(?:[^']|'')*')"
    r"|(?P<name>\"(?:[^\"]|\"\")+\"|[^\W\d][\w$]*)"
    r"|(?P<number>\$?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"
    r"|(?P<cast>::)"
    r"|(?P<mark>[(),.\[\]])"
    r"|(?P<operator>[-+*/<>=~!@#%^&|`?:]+)"
    r"|(?P<other>\S)"
)
_LITERAL = re.compile(r"'(?:[^']|'')+'")

RANGES = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression, and where it stands in it."""

    kind: Literal["text", "name", "number", "cast", "mark", "operator", "other"]
    text: str
    start: int
    end: int


Tokens = Sequence[Token]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``alias.column operator something else``, the something else free of the alias.

    Attributes:
        column: As printed, so quoted where it has to be.
        cast: The type that the column is cast to, None without.
    """

    column: str
    operator: str
    cast: str | None


def tokens_of(expression: str) -> tuple[Token, ...]:
    """The pieces of an expression, without blanks."""
    return tuple(
        Token(found.lastgroup, found[0], found.start(), found.end())  # type: ignore[arg-type]
        for found in _TOKEN.finditer(expression)
    )


def masked(expression: str) -> str:
    """The same without the values of its texts, which may be anybody's data."""
    return _LITERAL.sub("'…'", expression)


def one_line(expression: str) -> str:
    """The same on one line, its texts as they are."""
    line, end = "", 0
    for token in tokens_of(expression):
        line += (" " if token.start > end and line else "") + token.text
        end = token.end
    return line


def closing(tokens: Tokens, opening: int) -> int:
    """The place of the bracket that closes the one at `opening`; one past the end when none does."""
    depth = 0
    for place in range(opening, len(tokens)):
        if tokens[place].text == "(":
            depth += 1
        elif tokens[place].text == ")":
            depth -= 1
            if depth == 0:
                return place
    return len(tokens)


def conjuncts(tokens: Tokens) -> Iterator[Tokens]:
    """The parts of a condition all of which have to hold; the whole when it is not made of such."""
    tokens = _bare(tokens)
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.kind == "name" and token.text == "AND":
            parts.append([])
        else:
            parts[-1].append(token)
    if len(parts) == 1:
        yield tokens
        return
    for part in parts:
        yield from conjuncts(part)


def comparisons(condition: str, alias: str) -> Iterator[Comparison]:
    """What a condition compares columns of `alias` with, as far as all of it has to hold."""
    for part in conjuncts(tokens_of(condition)):
        depth, operators = 0, []
        for place, token in enumerate(part):
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0 and token.kind == "operator":
                operators.append(place)
        words = [token.text for token in part if token.kind == "name"]
        if len(operators) != 1 or "OR" in words or "NOT" in words:
            continue
        left, right = part[: operators[0]], part[operators[0] + 1 :]
        operator = part[operators[0]].text
        found = _compared(left, operator, right, alias) or _compared(right, _mirrored(operator), left, alias)
        if found is not None:
            yield found


def _compared(side: Tokens, operator: str, other: Tokens, alias: str) -> Comparison | None:
    column = column_of(side, alias)
    mentions = any(each.text == alias and following.text == "." for each, following in pairwise(other))
    return None if column is None or mentions else Comparison(column[0], operator, column[1])


def column_of(tokens: Tokens, alias: str) -> tuple[str, str | None] | None:
    """The column and the type that it is cast to, if it is, when the tokens are nothing but ``alias.column``."""
    tokens = _bare(tokens)
    cast = None
    places = [place for place, token in enumerate(tokens) if token.kind == "cast"]
    if len(places) == 1:
        cast = " ".join(token.text for token in tokens[places[0] + 1 :])
        tokens = _bare(tokens[: places[0]])
    match [token.text for token in tokens]:
        case [first, ".", column] if first == alias and tokens[2].kind == "name":
            return column, cast
    return None


def _bare(tokens: Tokens) -> Tokens:
    """Without the brackets around all of it."""
    while tokens and tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _mirrored(operator: str) -> str:
    return operator.translate(str.maketrans("<>", "><")) if operator in RANGES else operator
