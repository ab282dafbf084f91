"""Texts with placeholders: taken apart once, so that filling them in costs little."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from nightbench.errors import ConfigurationError
from nightbench.plan.placeholders import PLACEHOLDER
from nightbench.scrub import REDACTED, learn_named
from nightbench.spelling import did_you_mean

ENVIRONMENT = "env:"
"""``${env:NAME}`` is an environment variable, so that a plan holds no secret."""


class Values(NamedTuple):
    """What a template is filled in with.

    Attributes:
        id: Of the message; plain ASCII which JSON escapes nothing of.
        user: Index of the user in the whole load test, from 0.
        sequence: Which message of this user it is, from 1; 0 for its greeting.
        row: A row of the data file; empty without one.
        token: The user's bearer token, "" without one.
    """

    id: str = ""
    user: int = 0
    sequence: int = 0
    row: Mapping[str, str] = {}
    token: str = ""


class Place(NamedTuple):
    """Where a template stands, and which placeholders mean something there.

    Attributes:
        setting: The field of the plan that errors name.
        own: Which fields of `Values` are placeholders.
        columns: Of the data file.
        constants: Placeholders whose value is known beforehand.
        secret: Whether errors must not show what stands there.
    """

    setting: str
    own: Collection[str]
    columns: Collection[str] = ()
    constants: Mapping[str, str] = {}
    secret: bool = False

    def error(self, shown: str, problem: str, way_out: str = "") -> ConfigurationError:
        """An error about `shown`, a part of what stands here."""
        return ConfigurationError(self.setting, REDACTED if self.secret else shown, problem, way_out)


class Template:
    """A text with placeholders such as ``${id}``; ``$$`` is a dollar sign, and so is a single one.

    It can be pickled; with the values of environment variables in it, since other machines have others.

    Args:
        text: What is filled in; of a `body`, its JSON text.
        place: Where it stands.
        body: Whether values are escaped for JSON strings.

    Attributes:
        names: The placeholders that it has, without constants.
        around_id: The text as a ``%`` format of the id, where that is its one placeholder; the quick way.

    Raises:
        ConfigurationError: for a placeholder that there is not, an environment variable that is not set, or
            what cannot be UTF-8.
    """

    __slots__ = ("_format", "_parts", "around_id", "names")

    def __init__(self, text: str, place: Place, *, body: bool = False) -> None:
        escape = _json_escaped if body else _plain
        parts: list[_Part] = []
        names: list[str] = []
        literal = ""
        done = 0
        for found in PLACEHOLDER.finditer(text):
            literal += text[done : found.start()].replace("%", "%%")
            done = found.end()
            raw = found["name"]
            if raw is None:
                literal += "$"
                continue
            name = json.loads(f'"{raw}"') if body else raw
            constant = _constant(name, place)
            if constant is not None:
                literal += escape(constant).replace("%", "%%")
                continue
            names.append(name)
            parts.append(_part(name, place, escape))
            literal += "%s"
        self._format = literal + text[done:].replace("%", "%%")
        self._parts = tuple(parts)
        self.names = frozenset(names)
        self.around_id = self._format if names == ["id"] else None
        try:
            self._format.encode()
        except UnicodeEncodeError:
            problem = "an environment variable in it is no UTF-8"  # pydantic sees to all else
            raise place.error("…", problem, "set it to text") from None

    def __repr__(self) -> str:
        """Its placeholders only: the text may hold a secret."""
        return f"<Template of {sorted(self.names)}>"

    @property
    def literals(self) -> tuple[str, ...]:
        """What stands between its placeholders, environment variables filled in."""
        return tuple(part.replace("\0", "%") for part in self._format.replace("%%", "\0").split("%s"))

    def fill(self, values: Values) -> str:
        """The text with `values` in place of the placeholders."""
        return self._format % tuple([part(values) for part in self._parts])


_Part = Callable[[Values], object]


class _Column:
    """The value of a column; a class, since a closure cannot be pickled."""

    __slots__ = ("_escape", "_name")

    def __init__(self, name: str, escape: Callable[[str], str]) -> None:
        self._name = name
        self._escape = escape

    def __call__(self, values: Values) -> str:
        return self._escape(values.row[self._name])


def _id(values: Values) -> object:
    return values.id


def _user(values: Values) -> object:
    return values.user


def _sequence(values: Values) -> object:
    return values.sequence


def _token(values: Values) -> object:
    return values.token


_OWN: dict[str, _Part] = {"id": _id, "user": _user, "sequence": _sequence, "token": _token}


def _part(name: str, place: Place, escape: Callable[[str], str]) -> _Part:
    if name in place.own:
        if name in place.columns:
            problem = f"${{{name}}} is also a column of the data file"
            raise place.error(f"${{{name}}}", problem, "give the column another name")
        return _OWN[name]
    if name in place.columns:
        return _Column(name, escape)
    if name == "token":
        raise place.error("${token}", "users have no token here", "set tokens, --token or NIGHTBENCH_TOKEN")
    known = [*place.own, *place.constants, *place.columns]
    way_out = did_you_mean(name, known) + "; $$ is a dollar sign"
    raise place.error(f"${{{name}}}", "no such placeholder", way_out)


def _constant(name: str, place: Place) -> str | None:
    if not name.startswith(ENVIRONMENT):
        return place.constants.get(name)
    variable = name.removeprefix(ENVIRONMENT)
    value = os.environ.get(variable) if variable else None
    if value is None:
        raise place.error(f"${{{name}}}", f"the environment variable {variable} is not set", "set it")
    learn_named([variable, *place.setting.split(".")], value)
    return value


def _plain(text: str) -> str:
    return text


def _json_escaped(text: str) -> str:
    return encode_basestring(text)[1:-1]


def json_text(body: Any) -> str:
    """`body` as compact JSON, as a browser's ``JSON.stringify`` makes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
