"""YAML as data that JSON could hold, and the line of everything in it.

Plain words are what YAML 1.2's core schema takes them for: ``no``, ``on`` and ``2026-01-31`` are text, as a
message's body would have them, and not the booleans and dates of YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, NamedTuple

import yaml

from nightbench.plan.fields import Path, dotted

_MOST_VALUES = 1_000_000
"""Past these, a text of some lines that names the same things over and over is no plan."""

Lines = dict[tuple[str | int, ...], int]


class TextError(Exception):
    """A text that cannot be read.

    Args:
        problem: What is wrong with it.
        line: Where, from 1; None when that is nowhere in particular.
        path: The field that it is about, empty when it is about none.
    """

    def __init__(self, problem: str, line: int | None = None, path: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.path = path


class Parsed(NamedTuple):
    """The data of a text, and the line (from 1) of each of its values by the path to it."""

    data: Any
    lines: Lines


class _Core(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Safe, and with the plain words of the core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML has it


_Core.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)
_Core.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])
_Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
_Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: _number(loader.construct_scalar(node)))


def _number(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def read_yaml(text: str) -> Parsed:
    """Parse YAML.

    Raises:
        TextError: when it is no YAML, has a key twice or one that is no text, or refers to itself.
    """
    try:
        loader = _Core(text)
    except yaml.YAMLError as error:  # a character that no YAML has
        raise TextError(f"is no YAML: {str(error).splitlines()[0]}") from None
    try:
        node = loader.get_single_node()
        if node is None:
            return Parsed(None, {})
        _Inspection().count(node, ())
        lines: Lines = {}
        _note_lines(node, (), lines)
        return Parsed(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or ""
        if problem.startswith("but"):  # the second half of a sentence
            problem = f"{error.context}, {problem}"
        raise TextError(f"is no YAML: {problem}", mark.line + 1 if mark else None) from None
    except ValueError:  # as integers of more digits than Python reads
        raise TextError("holds a number of too many digits") from None
    except RecursionError:
        raise TextError("is too deep") from None
    finally:
        loader.dispose()


class _Inspection:
    """Looks at every node once, and counts what it would become."""

    def __init__(self) -> None:
        self._counts: dict[int, int | None] = {}

    def count(self, node: yaml.Node, path: tuple[str | int, ...]) -> int:
        """How many values there are in `node`, aliases followed."""
        known = self._counts.get(id(node), 0)
        line = node.start_mark.line + 1
        if known is None:
            raise TextError("refers to itself", line, dotted(path))
        if known:
            return known
        self._counts[id(node)] = None
        total = 1
        if isinstance(node, yaml.MappingNode):
            seen: set[Hashable] = set()
            for key, value in node.value:
                name = _name(key, path)
                if name in seen:
                    problem = "is there twice"
                    raise TextError(problem, key.start_mark.line + 1, dotted((*path, name)))
                seen.add(name)
                total += self.count(value, (*path, name))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                total += self.count(item, (*path, index))
        if total > _MOST_VALUES:
            raise TextError(f"holds more than {_MOST_VALUES:,} values", line, dotted(path))
        self._counts[id(node)] = total
        return total


def _name(key: yaml.Node, path: Path) -> str:
    if isinstance(key, yaml.ScalarNode) and key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
        return str(key.value)
    shown = key.value if isinstance(key, yaml.ScalarNode) else "…"
    raise TextError(f"a name must be text: write '{shown}' in quotes", key.start_mark.line + 1, dotted(path))


def _note_lines(node: yaml.Node, path: tuple[str | int, ...], lines: Lines) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = path if key.tag == "tag:yaml.org,2002:merge" else (*path, str(key.value))
            lines.setdefault(inner, key.start_mark.line + 1)
            _note_lines(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*path, index), lines)
