"""A plan file: what to change in a tier and its suites, as YAML or TOML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nightbench.errors import ConfigurationError
from nightbench.files import read_file
from nightbench.plan.agreement import fields_of, is_disagreement
from nightbench.plan.changes import TierChanges
from nightbench.plan.fields import NoValueError, dotted, names_beside, problem_of, shown
from nightbench.plan.layers import Layer
from nightbench.plan.toml_text import read_toml
from nightbench.plan.yaml_text import Lines, Parsed, TextError, read_yaml
from nightbench.scrub import REDACTED, scrub
from nightbench.spelling import did_you_mean

FLAG = "--plan"

_MOST_BYTES = 16 * 1024 * 1024
_READERS: dict[str, Callable[[str], Parsed]] = {".yaml": read_yaml, ".yml": read_yaml, ".toml": read_toml}
_TABLES = ", ".join(f"{name}:" for name in TierChanges.model_fields)


def read_plan_file(path: Path) -> Layer:
    """The changes of a tier: `blocks`, `reruns`, and the tables `websocket` and `database` with the fields of the plans.

    Raises:
        ConfigurationError: naming the file, the field and, where it is known, the line.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        known = ", ".join(_READERS)
        raise ConfigurationError(
            FLAG, str(path), "is neither YAML nor TOML", f"its name ends in one of {known}"
        )
    text = _text(path)
    try:
        data, lines = read(text)
    except TextError as error:
        raise NoValueError(_where(path, error.line, error.path), scrub(error.problem)) from None
    if not isinstance(data, dict):
        problem = "is empty" if data is None else "is no table of the two suites"
        raise ConfigurationError(FLAG, str(path), problem, f"at the top it has {_TABLES}")
    try:
        changes = TierChanges.model_validate(
            {name: table for name, table in data.items() if table is not None}
        )
    except ValidationError as error:
        raise _error(path, error.errors(include_url=False)[0], data, lines) from None
    return Layer(changes, lambda field: _where(path, _line(tuple(field), lines), dotted(field)))


def _text(path: Path) -> str:
    too_large = "a plan names data and binary files; it does not hold them"
    content = read_file(str(path), FLAG, most=_MOST_BYTES, too_large=too_large)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(FLAG, str(path), "is not UTF-8", "save it as UTF-8") from None
    if not text.strip():
        raise ConfigurationError(FLAG, str(path), "is empty", f"at the top it has {_TABLES}")
    return text


def _where(path: Path, line: int | None, field: str) -> str:
    place = str(path) if line is None else f"{path}, line {line}"
    return scrub(f"{place}: {field}") if field else place  # a secret may stand where a name is due


def _error(path: Path, first: ErrorDetails, data: Any, lines: Lines) -> ConfigurationError:
    field = _path(first["loc"], data)
    if is_disagreement(first):
        named = [_path(path, data) for path in fields_of(first)]
        field = next((each for each in named if _stands(each, data)), field)
        return NoValueError(_where(path, _line(field, lines), dotted(field)), problem_of(first))
    where = _where(path, _line(field, lines), dotted(field))
    if first["type"] == "extra_forbidden":  # its value may be a secret under a misspelled name
        way_out = did_you_mean(str(field[-1]), names_beside(TierChanges, field))
        return ConfigurationError(where, REDACTED, "no such field", way_out)
    if first["type"] == "missing":
        return NoValueError(where, problem_of(first))
    return ConfigurationError(where, shown(field, first["input"]), problem_of(first))


def _path(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """`loc` without what pydantic has put in between, such as the kind of a JSON value."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        if _is_in(part, data):
            data = data[part]
        elif index < len(loc) - 1 or not isinstance(data, dict) or part == "[key]":
            continue
        path.append(part)
    return tuple(path)


def _stands(path: tuple[str | int, ...], data: Any) -> bool:
    """Whether there is something at `path`."""
    for part in path:
        if not _is_in(part, data):
            return False
        data = data[part]
    return True


def _is_in(part: str | int, data: Any) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _line(path: tuple[str | int, ...], lines: Lines) -> int | None:
    """The line of what stands at `path`, or of the closest around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
