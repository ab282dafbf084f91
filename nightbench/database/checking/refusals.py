"""What the server has against a piece of SQL of the plan, told as an error of the field that holds it. Pure."""

from __future__ import annotations

import re

import psycopg

from nightbench.errors import ConfigurationError
from nightbench.plan.parameters import numbered, parameters_in
from nightbench.scrub import scrub

_SHOWN = 60
"""Characters of a statement in an error."""

_TYPES = "give the parameter a value of that type, or cast it: %(name)s::type"
_NAMES = "name it as the database has it, with its schema where that is not in the search_path"

_WAYS_OUT: tuple[tuple[str, str], ...] = (
    ("42601", "mend the SQL: one statement, with parameters as %(name)s"),
    ("42501", "grant it to the role that the transaction is of, or write rows of %(tenant)s alone"),
    ("42P01", _NAMES),
    ("42703", _NAMES),
    ("42883", _NAMES + "; an argument may need a cast: %(name)s::type"),
    ("42704", _NAMES),
    ("3F000", _NAMES),
    ("42804", _TYPES),
    ("42846", _TYPES),
    ("42P18", _TYPES),
    ("22P02", _TYPES),
    ("22003", _TYPES),
    ("22007", _TYPES),
    ("22008", _TYPES),
    ("22", "draw values that it can take, or mend the SQL"),
    ("23", "draw values that the constraints of the table allow"),
    ("25006", "load a server that can be written to"),
    ("57014", "raise statement_timeout, or mend the statement"),
    ("55P03", "raise lock_timeout, or see what else is at work in the database"),
    ("", "mend the SQL"),
)
"""By the beginning of the SQLSTATE; the first that fits."""

_OF_THE_SERVER = ("08", "28", "3D", "53", "57P", "58", "XX")
"""What is wrong with the connection or the server, whatever was asked."""


def refusal(
    setting: str, value: str, error: psycopg.Error, *, before: int | None = None
) -> ConfigurationError | None:
    """What is wrong with a field, None where it is the connection or the server.

    Args:
        setting: The field.
        value: As it stands in the plan; SQL, or what SQL was made of.
        error: What the server said of it.
        before: How many characters were sent before the SQL, None where it is not what was sent.
    """
    state = error.sqlstate
    if state is None:  # psycopg itself: it cannot send a value, or has lost the connection
        is_value = isinstance(error, psycopg.DataError | psycopg.ProgrammingError)
        return ConfigurationError(setting, shortened(value), said(error), _TYPES) if is_value else None
    if state.startswith(_OF_THE_SERVER):
        return None
    place = "" if before is None else _place(value, error, before)
    return ConfigurationError(setting, shortened(value), said(error) + place, way_out(state))


def said(error: psycopg.Error) -> str:
    """The server's words with its hint, in one line and without a secret."""
    hint = error.diag.message_hint
    words = f"{error.diag.message_primary or error}{f' ({hint})' if hint else ''}"
    return scrub(" ".join(words.split()))


def way_out(state: str) -> str:
    """What to do about an SQLSTATE."""
    return next(text for beginning, text in _WAYS_OUT if state.startswith(beginning))


def shortened(sql: str) -> str:
    """The beginning of a statement, in one line and without a secret."""
    text = scrub(" ".join(sql.split()))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _place(sql: str, error: psycopg.Error, before: int) -> str:
    """Where in `sql` it is wrong, as far as the server tells."""
    sent = numbered(sql)
    place = int(error.diag.statement_position or 0) - before - 1
    if not 0 <= place < len(sent):
        return ""
    word = re.match(r"\$\d+|\w+|\S", sent[place:])
    line = sent.count("\n", 0, place) + 1
    at = "" if word is None else scrub(_as_written(word[0][:_SHOWN], sql))
    return f", at {at} in line {line}" if at else f", in line {line}"


def _as_written(word: str, sql: str) -> str:
    return f"%({parameters_in(sql)[int(word[1:]) - 1]})s" if re.fullmatch(r"\$\d+", word) else word
