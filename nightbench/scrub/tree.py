"""Every string of a structure, scrubbed; also by the names of its members.

Whatever it meets, it ends soon and does not raise: it never asks an unknown object for its text, and follows no more
members, levels and characters than it says here.
"""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import re
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from nightbench.scrub.names import is_secret_name, names_secret_digits, names_secret_texts
from nightbench.scrub.patterns import late
from nightbench.scrub.spans import REDACTED
from nightbench.scrub.text import scrub, scrub_own
from nightbench.scrub.told import told

DEEPEST: Final = 48
MOST_MEMBERS: Final = 1_000_000
"""Of all containers together, shared ones counted wherever they stand."""
MOST_CHARACTERS: Final = 8_388_608
LEFT_OUT: Final = "…"
_LEAST_SECRET = 100
_LEAST_CARD = 10**11
_LONGEST_COMMAND = 200

_AS_THEY_ARE = (
    bool,
    int,
    float,
    complex,
    decimal.Decimal,
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
)
_DESCRIBES = late(
    r"(?:kind|type|name|scheme|algorithm|alg|kid|issuer|audience|expires?(?:_?(?:in|at|on))?|ttl|age|source|origin|env|environment"
    r"|variable|file|path|header|length|size|count|encoding|charset|template|command|required|present|valid|reused?|domain|secure|httponly|samesite)",
    re.IGNORECASE,
)
"""What is said of a secret and is none itself."""
_NAME_MEMBERS = ("name", "key", "header", "field", "Name", "Key", "param", "parameter")
_VALUE_MEMBERS = ("value", "val", "Value", "values", "content")
_STATEMENT_MEMBERS = ("sql", "SQL", "statement", "query")
_PARAMETER_MEMBERS = ("params", "parameters", "args", "bind", "binds")
_COMMANDS = late(r"(?:[^\s]*/)?(?:mysql\w*|mariadb[\w-]*|sshpass|redis-cli|mongo\w*|ldap\w+|sqlcmd|bcp|curl)")
"""Those that take a password as an argument of one letter."""
_OF_A_PLAN = frozenset(("subprotocols", "tokens", "headers"))


def scrub_tree(value: Any) -> Any:
    """Scrub every string inside of dicts, lists, tuples, sets and scalars; and what has a secret's name.

    Lists stand for sequences and sets, text for bytes and paths, the name of its type for any other object. Below a
    secret's name everything goes but what is said of it, such as its ``kind``. Never raises.
    """
    return _Walk(scrub, frozenset()).copy(value)


def scrub_own_tree(value: Any) -> Any:
    """The same of what a user configured: hosts by their address and statements' literals stay; see `scrub_own`."""
    return _Walk(scrub_own, _OF_A_PLAN).copy(value)


class _Walk:
    """One walk: what there is still room for, and what it has seen."""

    def __init__(self, clean: Callable[[str], str], plain_names: frozenset[str]) -> None:
        self._clean = clean
        self._plain_names = plain_names
        self._members = MOST_MEMBERS
        self._characters = MOST_CHARACTERS
        self._scrubbed: dict[str, str] = {}
        self._above: set[int] = set()
        self._done: dict[tuple[int, bool], tuple[Any, Any, int]] = {}

    def copy(self, value: Any) -> Any:
        return self._copied(value, secret=False, depth=0)

    def _copied(self, value: Any, *, secret: bool, depth: int) -> Any:
        try:
            return self._known(value, secret=secret, depth=depth)
        except Exception:  # noqa: BLE001  # a hostile object; nothing of it is known to be harmless
            return LEFT_OUT

    def _known(self, value: Any, *, secret: bool, depth: int) -> Any:  # noqa: PLR0911  # one case a type
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, secret=secret, depth=depth)
        if isinstance(value, Enum) and not isinstance(value, str | int):
            return self._copied(value.value, secret=secret, depth=depth + 1)
        if secret:
            return REDACTED
        if isinstance(value, str | bytes | bytearray | memoryview):
            return self._text(value)
        if isinstance(value, int):
            return value if abs(value) < _LEAST_CARD or self._text(str(int(value))) != REDACTED else REDACTED
        if isinstance(value, _AS_THEY_ARE) or type(value).__module__ == "numpy":
            return value
        shown = str(value) if isinstance(value, PurePath) else f"<{type(value).__name__}>"
        return self._text(shown)

    def _text(self, value: str | bytes | bytearray | memoryview) -> str:
        text = (
            str.__str__(value)[:]
            if isinstance(value, str)
            else bytes(value[: 1 << 20]).decode("utf-8", "replace")
        )
        known = self._scrubbed.get(text)
        if known is None:
            if self._characters <= 0:
                return LEFT_OUT
            self._characters -= len(text)
            known = self._scrubbed[text] = self._clean(text)
        return known

    def _container(self, value: Any, *, secret: bool, depth: int) -> Any:
        """A copy; of what stands in several places the same one, as long as there would be room for all of them."""
        place = (id(value), secret)
        if id(value) in self._above or depth >= DEEPEST:
            return LEFT_OUT
        if (done := self._done.get(place)) is not None:
            if done[2] > self._members:
                return LEFT_OUT
            self._members -= done[2]
            return done[1]
        before = self._members
        self._above.add(id(value))
        try:
            if isinstance(value, Mapping):
                copy: Any = self._mapping(value, secret=secret, depth=depth)
            else:
                copy = self._sequence(value, secret=secret, depth=depth)
        except Exception:  # noqa: BLE001  # its own iteration or a key of it raised
            return LEFT_OUT
        finally:
            self._above.discard(id(value))
        self._done[place] = (value, copy, before - self._members)
        return copy

    def _mapping(self, value: Mapping[Any, Any], *, secret: bool, depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        named = self._is_named(value)
        bound = self._clean is scrub and any(
            issubclass(type(value.get(name)), str) for name in _STATEMENT_MEMBERS
        )
        for key, item in value.items():
            if self._members <= 0:
                copy[LEFT_OUT] = LEFT_OUT
                break
            self._members -= 1
            name = self._name(key)
            hidden = self._hides(name, item) or (named and name in _VALUE_MEMBERS)
            hidden = hidden or (bound and name in _PARAMETER_MEMBERS) or (name == "input" and "loc" in value)
            hidden = hidden or (secret and _DESCRIBES.fullmatch(name) is None)
            copy[self._free(copy, name)] = self._copied(item, secret=hidden, depth=depth + 1)
        return copy

    def _sequence(self, value: Any, *, secret: bool, depth: int) -> list[Any]:
        items = []
        for item in value:
            if self._members <= 0:
                items.append(LEFT_OUT)
                break
            self._members -= 1
            items.append(item)
        is_pair = (
            len(items) == 2
            and issubclass(type(items[0]), str | bytes)
            and self._is_secret(self._name(items[0]))
        )
        first = [self._copied(items[0], secret=secret, depth=depth + 1)] if items else []
        told_of = self._arguments(items)
        return first + [
            self._copied(item, secret=secret or is_pair or place in told_of, depth=depth + 1)
            for place, item in enumerate(items[1:], 1)
        ]

    def _arguments(self, items: list[Any]) -> set[int]:
        """The places of a command's arguments that are passwords."""
        if len(items) < 2 or not all(type(item) is str for item in items):
            return set()
        knows = _COMMANDS.fullmatch(items[0][:_LONGEST_COMMAND]) is not None
        return {
            place
            for place, (before, item) in enumerate(itertools.pairwise(items), 1)
            if (before.startswith("--") and self._is_secret(before))
            or (knows and _is_told(items[0], before, item))
        }

    def _is_named(self, value: Mapping[Any, Any]) -> bool:
        """Whether it is one of those that have a name and a value as members, as headers in a HAR file."""
        names = (value.get(name) for name in _NAME_MEMBERS)
        return any(
            issubclass(type(name), str | bytes) and self._is_secret(self._name(name)) for name in names
        )

    def _is_secret(self, name: str) -> bool:
        return is_secret_name(name) and name not in self._plain_names

    def _hides(self, name: str, item: Any) -> bool:
        """Whether a member is a secret by its name; a small number is a count of them."""
        kind = type(item)  # not isinstance, which asks a hostile object for its class
        if issubclass(kind, int | float):
            return abs(item) >= _LEAST_SECRET and names_secret_digits(name)
        if issubclass(kind, Mapping):
            return self._is_secret(name) or (
                names_secret_texts(name)
                and name not in self._plain_names
                and all(issubclass(type(value), str | bytes) for value in item.values())
            )
        return self._is_secret(name) or (names_secret_texts(name) and name not in self._plain_names)

    def _name(self, key: Any) -> str:
        if isinstance(key, str):
            return str.__str__(key)[:]
        if isinstance(key, bytes):
            return key.decode("utf-8", "replace")
        if key is None or isinstance(key, bool | int | float):
            return str(key)
        return f"<{type(key).__name__}>"

    def _free(self, copy: dict[str, Any], name: str) -> str:
        """The scrubbed name, numbered where two names became the same."""
        shown = base = self._text(name)
        number = 2
        while shown in copy:
            shown, number = f"{base} ({number})", number + 1
        return shown


def _is_told(command: str, before: str, item: str) -> bool:
    """Whether `item` has a password, as an argument of `command` behind another one."""
    if not before.startswith("-") and not item.startswith("-"):
        return False
    argument = f"'{item[:_LONGEST_COMMAND]}'"
    shown = f"['{command[:_LONGEST_COMMAND]}', '{before[:_LONGEST_COMMAND]}', {argument}"
    return not told(shown).endswith(argument)
