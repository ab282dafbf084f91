"""Secrets that this process knows by their value, found wherever they stand and however they are written.

A rule knows a secret by what stands around it. A subject that repeats a password as a bare word gives no such sign.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from nightbench.scrub.known_forms import forms
from nightbench.scrub.spans import REDACTED

MOST_KNOWN = 64
"""Values that are known at once; of more, the oldest of those that are one of many are forgotten first."""
LEAST = 6
"""Characters of one: a shorter one is also a part of many other words."""
LONGEST_KNOWN = 8_192
_MOST_NAMES = 256

_PLAIN = frozenset((
    "account", "anonymous", "apikey", "authenticated", "authorization", "backend", "baseline", "bearer", "client", "connection",
    "cookie", "database", "default", "development", "digest", "docker", "example", "invalid", "localhost", "master", "message",
    "nightbench", "nightly", "number", "passwd", "password", "passwort", "postgres", "postgresql", "prefect", "private",
    "production", "public", "quality", "reference", "regression", "response", "secret", "select", "sentry", "server", "service",
    "service_role", "staging", "stress", "subject", "supabase", "supabase_admin", "target", "tester", "testing", "throughput",
    "timeout", "tokens", "username", "websocket", "worker",
))  # fmt: skip
"""Words of the field: whoever has one for a password would lose it from every text."""

_lock = threading.Lock()
_values: dict[str, bool] = {}
"""Each with whether it is one of many."""
_names: dict[str, bool] = {}
_literals: tuple[tuple[str, re.Pattern[str] | None], ...] = ()
"""The longest first, so that none hides a part of another; with a pattern where it must be a word of its own."""


def know(values: Iterable[str], *, of_many: Iterable[str] = (), beside: Iterable[str] = ()) -> None:
    """Know `values` as secrets from now on, but those that are too short, words of the field, or parts of names.

    Args:
        values: As they are, without encoding.
        of_many: Those of which there may be too many to know all, such as the tokens of users; as they are alone.
        beside: Names that have to stay readable, such as those of a role and a host.
    """
    global _literals  # noqa: PLW0603  # what is known is of the whole process, as its logs are
    with _lock:
        for name in beside:
            _keep(_names, name, _MOST_NAMES, one_of_many=True)
        for value in filter(_is_known_by_itself, of_many):
            _keep(_values, value, MOST_KNOWN, one_of_many=True)
        for value in filter(_is_known_by_itself, values):
            _keep(_values, value, MOST_KNOWN, one_of_many=False)
        secret = {value: many for value, many in _values.items() if not any(value in name for name in _names)}
        found = {form for value, many in secret.items() for form in ({value} if many else forms(value))}
        _literals = tuple(
            (each, _as_word(each) if each in secret else None)
            for each in sorted(found, key=len, reverse=True)
        )


def forget() -> None:
    """Know nothing any more."""
    global _literals  # noqa: PLW0603  # as above
    with _lock:
        _values.clear()
        _names.clear()
        _literals = ()


def without_known(text: str) -> str:
    """`text` with ``***`` for every value that is known."""
    for literal, word in _literals:
        if literal in text:
            text = text.replace(literal, REDACTED) if word is None else word.sub(REDACTED, text)
    return text


def _is_known_by_itself(value: str) -> bool:
    return LEAST <= len(value) <= LONGEST_KNOWN and bool(value.strip("*")) and value.casefold() not in _PLAIN


def _keep(known: dict[str, bool], value: str, most: int, *, one_of_many: bool) -> None:
    """Have it be the newest one."""
    known[value] = known.pop(value, True) and one_of_many
    if len(known) > most:
        del known[next((each for each, many in known.items() if many), next(iter(known)))]


def _as_word(literal: str) -> re.Pattern[str] | None:
    """What finds it as a word alone, where it is nothing but letters or digits and so may be a part of others."""
    if not (literal.isalpha() or literal.isdigit()) or len(literal) > 2 * LEAST:
        return None
    before = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
    return re.compile(rf"{before}{re.escape(literal)}(?![A-Za-z0-9])")
