"""Which secrets settings, subjects and specs of load tests hold, by the names and kinds of their fields."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from nightbench.scrub.known import know
from nightbench.scrub.names import Trust, is_secret_name, names_secret_texts, trust
from nightbench.scrub.patterns import late

Holder = TypeVar("Holder")

_DEEPEST = 12
_MOST_MEMBERS = 16
"""Of a list that are looked at."""
_PLACEHOLDER = late(r"\$\{[^}\n]*\}")
_BETWEEN = late(r"[\s;,]+")
_TICKET = late(r"(?=\D*\d)\S{16,}")
"""What is nothing but a ticket, by whatever name a URL has it."""
_LISTS = (list, tuple, set, frozenset)


def learn(holder: Holder) -> Holder:
    """Know every secret that `holder`, which is returned, has: a model, a dataclass, or what holds some.

    Secrets are what is a `SecretStr`, what has a secret's name, and the passwords, keys and tickets of URLs. Of a
    list that is long the beginning is looked at.
    """
    found = _Found()
    found.look("", holder, _DEEPEST)
    know(found.secrets, of_many=found.of_many, beside=found.names)
    return holder


def learn_named(names: Iterable[str], value: str) -> None:
    """Know `value` as a secret, if any of `names`, by which it is called, is a secret's."""
    if any(is_secret_name(name) or names_secret_texts(name) for name in names):
        know(_parts(value))


class _Found:
    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.of_many: list[str] = []
        self.names: list[str] = []

    def look(self, name: str, value: Any, deep: int, *, is_field: bool = True) -> None:
        by_name = is_secret_name(name) or names_secret_texts(name)
        if isinstance(value, str):
            self._text(name, value, secret=by_name)
        elif callable(told := getattr(value, "get_secret_value", None)):
            self._text(name, told(), secret=is_field or by_name)  # a header of any name is one
        elif isinstance(texts := getattr(value, "literals", None), tuple):  # a template's
            for text in texts:
                self._text(name, text, secret=by_name)
        elif isinstance(value, _LISTS) and deep:
            inner = _Found()
            for key, item in _items(name, value):
                inner.look(key, item, deep - 1, is_field=False)
            self.of_many += inner.of_many + inner.secrets
            self.names += inner.names
        elif deep:
            fields, are_fields = _fields(value)
            for key, item in fields:
                self.look(key, item, deep - 1, is_field=are_fields)

    def _text(self, name: str, text: str, *, secret: bool) -> None:
        if name == "environment":
            self.names.append(text)
        elif "://" in text:
            self._address(text)
        elif secret and name in ("token", "tokens", "api_token"):
            self.secrets.append(text)
        elif secret:
            self.secrets += _parts(text)

    def _address(self, text: str) -> None:
        try:
            parts = urlsplit(text)
            fields = parse_qsl(parts.query)
            user, password = parts.username or "", parts.password or ""
        except ValueError:
            return
        is_key = parts.scheme in ("http", "https")  # Sentry's, where it stands in the place of a user
        self.secrets += [password, unquote(password), *([user] if is_key else [])]
        for name, value in fields:
            if trust(name) is not Trust.NONE or (parts.scheme in ("ws", "wss") and _TICKET.fullmatch(value)):
                self.secrets.append(value)
        own = () if is_key else (unquote(user), parts.path.lstrip("/"))
        self.names += [each for each in (parts.hostname or "", *own) if each]


def _fields(value: Any) -> tuple[list[tuple[str, Any]], bool]:
    """What is in it, with its name; and whether it is of a class that says what may be in it."""
    if isinstance(value, Mapping):
        return [
            (key, item) for key, item in islice(value.items(), _MOST_MEMBERS) if isinstance(key, str)
        ], False
    kind = type(value)
    known = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None) or ()
    return [(field, getattr(value, field, None)) for field in known], True


def _items(name: str, value: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The first members of a list; a pair has a name of its own, as a header has, others have the list's."""
    for item in islice(value, _MOST_MEMBERS):
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
            yield item[0], item[1]
        else:
            yield name, item


def _parts(text: str) -> list[str]:
    """The secrets of a header's value or of a template of tokens: its words but the name of a scheme."""
    words = [word for word in _BETWEEN.split(_PLACEHOLDER.sub(" ", text)) if word]
    if len(words) > 1:
        words = [word for word in words if not word.isalpha()]
    return [each for word in words for each in (word, word.partition("=")[2], _of_basic(word)) if each]


def _of_basic(word: str) -> str:
    """The password of credentials of the scheme `Basic`."""
    try:
        return base64.b64decode(word, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
