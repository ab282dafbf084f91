"""What may be said of a field that is wrong: which there are beside it, and how much of its value is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from nightbench.errors import ConfigurationError
from nightbench.scrub import REDACTED, scrub

Path = Sequence[str | int]

_SHOWN = 80
"""Characters of a value; more is no help in one line."""

_SECRET = frozenset(
    {"headers", "subprotocols", "tokens", "token", "sentry_dsn", "reference_sentry_dsn", "release_command"}
)
_WORDS = {
    "valid tuple": "list",
    "input was not a valid JSON value": "is nothing that JSON has",
    "Field required": "is missing",
    "Recursion error - maximum validation depth exceeded": "is too deep",
}
_OF_A_MODEL = re.compile(r"valid dictionary(?: or instance of \w+)?")


class NoValueError(ConfigurationError):
    """A field of a plan that is wrong by itself, or beside others, and not by one value."""

    def __init__(self, where: str, problem: str, way_out: str = "") -> None:
        super().__init__(where, "", problem, way_out)
        text = f"{where}: {problem}"
        self.args = (f"{text}; {way_out}" if way_out else text,)


def names_beside(model: type[BaseModel], path: Path) -> list[str]:
    """The names that there are where the last one of `path` stands; none where any name is right."""
    here: Any = model
    for part in path[:-1]:
        here = _inside(here, part)
        if here is None:
            return []
    known = _model_of(here)
    return [] if known is None else list(known.model_fields)


def problem_of(error: ErrorDetails) -> str:
    """What is wrong, in words that do not speak of Python's types."""
    problem = error["msg"].removeprefix("Value error, ")
    for theirs, ours in _WORDS.items():
        problem = problem.replace(theirs, ours)
    problem = _OF_A_MODEL.sub("table", problem)
    return scrub(problem)


def shown(path: Path, value: object) -> str:
    """As much of a field's wrong value as may stand in an error: no secret, and no table of them."""
    if _SECRET.intersection(path):
        return REDACTED
    if isinstance(value, BaseModel | dict | list | tuple):
        return "…"
    text = scrub(str(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def dotted(path: Path) -> str:
    """A path as it is written: ``messages[0].weight``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _inside(annotation: Any, part: str | int) -> Any:
    """The type of what stands at `part`, None when any may."""
    model = _model_of(annotation)
    if model is not None:
        found = model.model_fields.get(str(part))
        return None if found is None else found.annotation
    for choice in _choices(annotation):
        if get_origin(choice) is tuple and isinstance(part, int):
            return get_args(choice)[0]
    return None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for choice in _choices(annotation):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def _choices(annotation: Any) -> list[Any]:
    """The types that an annotation is one of."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [inner for choice in get_args(annotation) for inner in _choices(choice)]
    return [annotation]
