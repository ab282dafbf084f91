"""TOML as data, and the lines of what is easily found in it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

from nightbench.plan.yaml_text import Lines, Parsed, TextError

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[\w.\s\"'-]+?)\s*\]\]?\s*(?:#.*)?")
_FIELD = re.compile(r"\s*(?P<name>[\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")
_LINE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def read_toml(text: str) -> Parsed:
    """Parse TOML.

    Raises:
        TextError: when it is no TOML.
    """
    try:
        return Parsed(tomllib.loads(text), _lines(text))
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        line = int(place["line"]) if place and place["line"] else len(text.splitlines())
        raise TextError(f"is no TOML: {_LINE.sub('', str(error))}", line) from None
    except RecursionError:
        raise TextError("is too deep") from None


def _lines(text: str) -> Lines:
    """Best effort: the standard library's parser tells no lines, so these are those that look like it."""
    lines: Lines = {}
    table: tuple[str | int, ...] = ()
    lengths: Counter[tuple[str | int, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _numbered(_names(header["name"]), lengths)
            if header["open"] == "[[":
                table = (*table, lengths[table])
                lengths[table[:-1]] += 1
            lines.setdefault(table, number)
        elif field := _FIELD.match(line):
            lines.setdefault((*table, *_names(field["name"])), number)
    return lines


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("\"'") for name in text.split("."))


def _numbered(names: tuple[str, ...], lengths: Counter[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """The path of a table, which stands in the latest of each array above it."""
    path: tuple[str | int, ...] = ()
    for index, name in enumerate(names):
        path = (*path, name)
        if path in lengths and index < len(names) - 1:
            path = (*path, lengths[path] - 1)
    return path
