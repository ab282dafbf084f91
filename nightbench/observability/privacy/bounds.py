"""A copy of anything as plain data of bounded size, made without running code of what is copied."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any
from uuid import UUID

from sentry_sdk._types import AnnotatedValue


@dataclass(frozen=True)
class Bounds:
    """How much of a value is copied."""

    depth: int
    """Containers in containers."""
    breadth: int
    """Members of one container."""
    nodes: int
    """Members of all containers; a shared container counts wherever it stands, so that 2^n places cost no more."""
    characters: int
    """Of all texts together."""
    text: int
    """Characters of one text."""


BAG = Bounds(depth=6, breadth=100, nodes=2_000, characters=65_536, text=16_384)
"""What somebody hangs on an event: extra, a context, tags, the data of a breadcrumb."""

UNREADABLE = "<unreadable>"
_SPENT = "…"
_LONGEST_KEY = 200
_MOST_NAMES = 8
_LARGEST_BITS = 256  # a number of more is no measurement, and its decimal digits take quadratic time
_LONGEST_WORD = 256
_CONTAINERS: tuple[type, ...] = (list, tuple, set, frozenset, deque)
_TELLING = frozenset(
    {date, time, timedelta, Decimal, UUID, IPv4Address, IPv6Address}
    | {PosixPath, PurePosixPath, PureWindowsPath, WindowsPath}
)
"""Types whose text is known to be short and to say the value; of a subclass, only the name is told."""


def bounded(value: Any, bounds: Bounds = BAG) -> Any:
    """`value` as dicts, lists, texts, finite numbers, booleans and None, within `bounds`.

    Never raises, whatever the value does: only builtin methods of builtin containers are called. Any
    other object becomes its type's name in angle brackets, bytes their number. Nothing is scrubbed here.
    """
    try:
        return _Copy(bounds).of(value, bounds.depth)
    except Exception:  # noqa: BLE001  # whatever a hostile value raises
        return UNREADABLE


def whole_text(text: str, longest: int) -> str:
    """`text` without lone surrogates, at most about `longest` characters of it, and no part of a word at the cut."""
    left_out = str.__len__(text) - longest
    kept = str.__getitem__(text, slice(longest))
    if not kept.isascii():
        kept = kept.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if left_out <= 0:
        return kept
    end = max(kept.rfind(" ", longest - _LONGEST_WORD), kept.rfind("\n", longest - _LONGEST_WORD))
    kept = kept[: end if end > 0 else max(longest - _LONGEST_WORD, 0)]  # half a secret is not known for one
    return f"{kept} … {str.__len__(text) - len(kept)} more characters"


def type_name(value: object) -> str:
    """The name of a value's type in angle brackets: all that is told of an object."""
    try:
        name = type(value).__name__
    except Exception:  # noqa: BLE001  # a metaclass can do anything
        return UNREADABLE
    return f"<{whole_text(name, _LONGEST_KEY)}>" if type(name) is str else UNREADABLE


class _Copy:
    """What is left of the bounds while one value is copied."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._nodes = bounds.nodes
        self._characters = bounds.characters

    def of(self, value: Any, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        for base, copied in _SCALARS:
            if issubclass(kind, base):
                return copied(self, value)
        if kind is AnnotatedValue:
            return self.of(value.value, depth - 1) if depth > 0 else _SPENT
        if issubclass(kind, dict):
            return self._members(value, depth)
        for base in _CONTAINERS:
            if issubclass(kind, base):
                return self._items(value, base, depth)
        return self.text(str(value)) if kind in _TELLING else type_name(value)

    def text(self, value: str) -> str:
        longest = min(self._bounds.text, self._characters)
        if longest <= 0:
            return _SPENT
        text = whole_text(value, longest)
        self._characters -= len(text)
        return text

    def number(self, value: int) -> Any:
        bits = int.bit_length(value)
        return int.__index__(value) if bits <= _LARGEST_BITS else f"<int of {bits} bits>"

    def real(self, value: float) -> Any:
        real = float.__add__(value, 0.0)
        return real if math.isfinite(real) else str(real)

    def enum(self, value: Enum) -> str:
        name = object.__getattribute__(value, "_name_")
        return self.text(name) if isinstance(name, str) else type_name(value)

    def instant(self, value: datetime) -> str:
        """ISO 8601 in UTC; an instant without a zone counts as UTC, as the SDK takes it."""
        if type(value) is not datetime:
            return type_name(value)
        try:
            utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except Exception:  # noqa: BLE001  # a zone is code of somebody's
            return UNREADABLE
        return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def size(self, value: Any) -> str:
        return f"<{memoryview(value).nbytes} bytes>"

    def _members(self, value: dict[Any, Any], depth: int) -> Any:
        size = dict.__len__(value)
        if depth <= 0:
            return f"<dict of {size}>"
        copy: dict[str, Any] = {}
        for key, item in list(islice(dict.items(value), self._bounds.breadth)):
            if not self._spend():
                break
            copy[self._key(key)] = self.of(item, depth - 1)
        if size > len(copy):
            copy[_SPENT] = f"{size - len(copy)} more"
        return copy

    def _items(self, value: Any, base: Any, depth: int) -> Any:
        size = base.__len__(value)
        if depth <= 0:
            return f"<{base.__name__} of {size}>"
        if base is tuple and (names := _fields_of(type(value))) is not None and len(names) == size:
            return self._members(dict(zip(names, tuple.__iter__(value), strict=True)), depth)
        copy: list[Any] = []
        members: Iterable[Any] = base.__iter__(value)
        for place, item in enumerate(list(islice(members, self._bounds.breadth))):
            if not self._spend():
                break
            is_name = place == 0 and size == 2 and type(item) is bytes  # of a header, as ASGI has them
            copy.append(self._key(item) if is_name else self.of(item, depth - 1))
        if size > len(copy):
            copy.append(f"{_SPENT} {size - len(copy)} more")
        return copy

    def _key(self, key: Any) -> str:
        """A name as text, also of bytes: the scrubber goes by it."""
        if type(key) is tuple and all(type(each) is str for each in key[:_MOST_NAMES]):
            key = ".".join(each[:_LONGEST_KEY] for each in key[:_MOST_NAMES])
        elif type(key) is bytes:
            key = key[:_LONGEST_KEY].decode("utf-8", "replace")
        if issubclass(type(key), str):
            text = whole_text(key, min(_LONGEST_KEY, max(self._characters, 1)))
            self._characters -= len(text)
            return text
        return str(self.of(key, 0))

    def _spend(self) -> bool:
        self._nodes -= 1
        return self._nodes >= 0 and self._characters > 0


def _fields_of(kind: type) -> tuple[str, ...] | None:
    """The names of a named tuple's members, by which the scrubber goes."""
    for base in type.__dict__["__mro__"].__get__(kind):
        if base is tuple:
            return None
        names = type.__dict__["__dict__"].__get__(base).get("_fields")
        if type(names) is tuple and all(type(each) is str for each in names):
            return names
    return None


_SCALARS: tuple[tuple[type, Callable[[_Copy, Any], Any]], ...] = (
    (str, _Copy.text),
    (int, _Copy.number),
    (float, _Copy.real),
    (datetime, _Copy.instant),  # a date as well
    (bytes, _Copy.size),
    (bytearray, _Copy.size),
    (memoryview, _Copy.size),
    (Enum, _Copy.enum),  # after its mix-ins, which say the value
)
