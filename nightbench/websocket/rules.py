"""Which messages belong to which reply, as functions made of the plan's rules once."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from nightbench.errors import ConfigurationError
from nightbench.plan import Condition, ReplyRules
from nightbench.scrub import scrub

Test = Callable[[Any], bool]
"""What a condition says of a message."""

_STEP = re.compile(r"\[(?P<index>\d+)\]|(?P<key>[^.\[\]]+)")


class _Missing:
    """Stands for a value that a message does not have; JSON has no such thing."""

    __slots__ = ()


_MISSING: Final = _Missing()


class Predicate:
    """A function of the user's, of a message id and a message; whatever it does, the run goes on.

    Attributes:
        failure: What it did first that was neither to answer True nor False: the class of the error that it
            raised, or of its answer.
    """

    def __init__(self, function: Callable[[str, Any], object]) -> None:
        self._function = function
        self.failure: str | None = None

    def __call__(self, message_id: str, message: Any) -> bool | None:
        """Its answer; None when it failed."""
        try:
            told = self._function(message_id, message)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # it may call sys.exit
            self.failure = self.failure or f"raised {type(error).__name__}"
            return None
        if told is True or told is False:
            return told
        # a coroutine, say, which is true whatever it would say
        kind = type(told)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        self.failure = self.failure or f"answered with {name}"
        return None


@dataclass(frozen=True, slots=True)
class Rules:
    """How replies are told.

    Attributes:
        match: By id, by order or by predicate.
        format: Whether messages are JSON, or nobody looks into them.
        id_of: The id that a message carries, whatever JSON value that is; None without one.
        is_done: Whether a message is the last of its reply.
        is_error: Whether a message says that the subject failed.
        is_right: Whether the last message of a reply is what was expected.
        belongs: The user's predicate; None unless `match` is predicate.
    """

    match: Literal["id", "order", "predicate"]
    format: Literal["json", "raw"]
    id_of: Callable[[Any], Any]
    is_done: Test
    is_error: Test
    is_right: Test
    belongs: Predicate | None


def compile_rules(rules: ReplyRules) -> Rules:
    """Make functions of `rules`; those of messages take any JSON value and never fail.

    Raises:
        ConfigurationError: when the predicate cannot be imported or called.
    """
    find_id = _finder(rules.id_path)

    def id_of(message: Any) -> Any:
        found = find_id(message)
        return None if found is _MISSING else found

    return Rules(
        match=rules.match,
        format=rules.format,
        id_of=_member(rules.id_path) if _is_key(rules.id_path) else id_of,
        is_done=_test(rules.done, otherwise=True),
        is_error=_test(rules.error, otherwise=False),
        is_right=_test(rules.expect, otherwise=True),
        belongs=None if rules.predicate is None else _predicate(rules.predicate),
    )


def _is_key(path: str) -> bool:
    return "." not in path and "[" not in path


def _member(key: str) -> Callable[[Any], Any]:
    def find(message: Any) -> Any:
        return message.get(key) if type(message) is dict else None

    return find


def _finder(path: str) -> Callable[[Any], Any]:
    """What stands at `path` of a message, or `_MISSING`."""
    steps = [
        int(found["index"]) if found["index"] is not None else found["key"] for found in _STEP.finditer(path)
    ]
    if len(steps) == 1:
        (key,) = steps

        def find_member(message: Any) -> Any:
            return message.get(key, _MISSING) if type(message) is dict else _MISSING

        return find_member

    def find(message: Any) -> Any:
        for step in steps:
            if type(step) is int:
                if type(message) is not list or step >= len(message):
                    return _MISSING
                message = message[step]
            elif type(message) is dict and step in message:
                message = message[step]
            else:
                return _MISSING
        return message

    return find


def _test(condition: Condition | None, *, otherwise: bool) -> Test:
    """`condition` as a function. What is missing is neither equal nor unequal; null does not exist."""
    if condition is None:
        return lambda _message: otherwise
    find = _finder(condition.path)
    if condition.op == "exists":

        def exists(message: Any) -> bool:
            found = find(message)
            return found is not _MISSING and found is not None

        return exists
    expected, equal = condition.value, condition.op == "=="
    if isinstance(expected, str):  # by far the most frequent, and equal to nothing but a string
        if equal and _is_key(condition.path):
            key = condition.path
            return lambda message: type(message) is dict and message.get(key) == expected
        if equal:
            return lambda message: bool(find(message) == expected)
        return lambda message: (found := find(message)) is not _MISSING and bool(found != expected)

    def compares(message: Any) -> bool:
        found = find(message)
        return found is not _MISSING and _same(found, expected) is equal

    return compares


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; Python takes true for 1."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _predicate(name: str) -> Predicate:
    module, _, function = name.partition(":")
    try:
        with _current_folder_importable():
            found = getattr(importlib.import_module(module), function, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever the user's module does when it is imported
        problem = f"cannot be imported: {type(error).__name__}: {scrub(str(error))}"
        raise ConfigurationError(
            "reply.predicate",
            name,
            problem,
            "MODULE is looked for in the current folder and among what is installed",
        ) from None
    if not callable(found):
        problem = f"{module} has no {function}" if found is None else f"{function} of {module} is no function"
        raise ConfigurationError(
            "reply.predicate", name, problem, "it is called with a message id and a reply"
        )
    return Predicate(found)


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    """As `python -m` has it; last, so that no file there stands in for what others import."""
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
