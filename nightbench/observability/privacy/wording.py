"""What an error or another object says by code of its own: only where that ends soon, and never a raise."""

from __future__ import annotations

from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from sentry_sdk import utils

from nightbench.observability.privacy.bounds import bounded, type_name
from nightbench.scrub import scrub_tree

_MOST_NODES = 20_000
_MOST_CHARACTERS = 4_000_000
_DEEPEST = 100
_LARGEST_BITS = 12_000
"""Python refuses to write an integer of more than 4,300 digits."""

_TEXTS: tuple[type, ...] = (str, bytes, bytearray)
_SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset, deque)
_HOLDERS: tuple[type, ...] = (SimpleNamespace, UserDict, UserList, ChainMap)

_MESSAGE_OF_THE_SDK = getattr(utils, "get_error_message", utils.safe_str)


def guard_errors() -> None:
    """Have the SDK ask `message_of_error` for the text of an error, whichever of its integrations caught it.

    The SDK itself calls ``str``, which of a structure that is shared in itself takes 2^n steps, and whose
    ``SystemExit`` would end the caller.
    """
    setattr(utils, "get_error_message", message_of_error)  # noqa: B010  # not every SDK has it


def message_of_error(error: BaseException | None) -> str:
    """The message of an error with its notes; what it was raised with, in bounds, where its text would not end."""
    if error is None:
        return ""
    try:
        if _ends_soon(_parts_of(error)):
            return str(_MESSAGE_OF_THE_SDK(error))
    except BaseException:  # noqa: BLE001, S110  # `__str__` may raise SystemExit: that is not the end of who watches
        pass
    return _raised_with(error)


def text_of(value: Any) -> str:
    """The text of what was logged instead of a text: plain data by its members, an object by its own words."""
    if issubclass(type(value), BaseException):
        return message_of_error(value)
    plain = bounded(value)
    if plain != type_name(value):
        return plain if isinstance(plain, str) else str(scrub_tree(plain))
    try:
        return str(value) if _ends_soon((value,)) else type_name(value)
    except BaseException:  # noqa: BLE001  # as above
        return type_name(value)


def _ends_soon(values: Iterable[Any]) -> bool:
    """Whether the text of builtin containers has an end: what stands in several places counts in each."""
    nodes, characters = _MOST_NODES, _MOST_CHARACTERS
    waiting = [(each, 0) for each in values]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        nodes -= 1
        if issubclass(kind, _TEXTS):
            characters -= _length(value, kind)
        elif issubclass(kind, int):
            if int.bit_length(value) > _LARGEST_BITS:
                return False
        else:
            inner = _members(value, kind, nodes)
            if inner is None or (inner and depth >= _DEEPEST):
                return False
            waiting += [(each, depth + 1) for each in inner]
        if nodes < len(waiting) or characters < 0:
            return False
    return True


def _length(value: Any, kind: type) -> int:
    if issubclass(kind, str):
        return str.__len__(value)
    return bytes.__len__(value) if issubclass(kind, bytes) else bytearray.__len__(value)


def _members(value: Any, kind: type, most: int) -> list[Any] | None:
    """What the text of a value is made of; None where that is more than `most`."""
    if issubclass(kind, dict):
        if 2 * dict.__len__(value) > most:
            return None
        return [*dict.keys(value), *dict.values(value)]
    for base in _SEQUENCES:
        if issubclass(kind, base):
            known: Any = base
            return list(known.__iter__(value)) if known.__len__(value) <= most else None
    if issubclass(kind, BaseException):
        return list(BaseException.args.__get__(value))  # type: ignore[attr-defined]
    is_told_by_members = issubclass(kind, _HOLDERS) or "__dataclass_fields__" in kind.__dict__
    return list(_attributes(value).values()) if is_told_by_members else []


def _parts_of(error: BaseException) -> list[Any]:
    """What the text of an error may be made of; a group says its message and a number."""
    arguments = list(BaseException.args.__get__(error))  # type: ignore[attr-defined]
    if issubclass(type(error), BaseExceptionGroup):
        arguments = arguments[:1]
    return [*arguments, *_attributes(error).values()]


def _attributes(value: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, dict) else {}


def _raised_with(error: BaseException) -> str:
    arguments = bounded(BaseException.args.__get__(error))  # type: ignore[attr-defined]
    plain = scrub_tree(arguments[0] if isinstance(arguments, list) and len(arguments) == 1 else arguments)
    notes = bounded(_attributes(error).get("__notes__"))
    lines = [each for each in notes if isinstance(each, str)] if isinstance(notes, list) else []
    return "\n".join([plain if isinstance(plain, str) else str(plain), *lines])
