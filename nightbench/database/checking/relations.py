"""Which tables a statement reads and writes, by the server's own plan for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]
"""A node of ``EXPLAIN (FORMAT JSON, VERBOSE)``."""

_WRITES = "ModifyTable"
_LOCKS = "LockRows"

_BEFORE = re.compile(r"[\s(]+|--[^\n]*")
_WORD = re.compile(r"[A-Za-z_]+")
_COMMENT = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Relations:
    """The tables of a plan as ``schema.table``.

    Those behind a view, not the view. Of a partitioned table that is read the partitions that the plan comes
    to, of one that is written the table that was named. What functions and triggers touch is in no plan, nor
    is a table that the server can tell to have no row for the statement.

    Attributes:
        read: What is scanned.
        written: What rows are inserted into, updated or deleted in.
        changed: Those of them in which rows may be updated or deleted, also by ON CONFLICT DO UPDATE.
        locks: Whether rows are locked by the statement itself, as by FOR UPDATE.
    """

    read: frozenset[str]
    written: frozenset[str]
    changed: frozenset[str] = frozenset()
    locks: bool = False

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return self.read | self.written


def relations_of(*plans: Node) -> Relations:
    """The tables of the plans of one statement, which rules may make several, each from its topmost node on."""
    nodes = [node for plan in plans for node in nodes_of(plan)]
    read = {_name(node) for node in nodes if node["Node Type"] != _WRITES and "Relation Name" in node}
    written = {_name(node) for node in nodes if node["Node Type"] == _WRITES}
    changed = {_name(node) for node in nodes if node["Node Type"] == _WRITES and _changes(node)}
    locks = any(node["Node Type"] == _LOCKS for node in nodes)
    return Relations(frozenset(read), frozenset(written), frozenset(changed), locks)


def _changes(node: Node) -> bool:
    return node.get("Operation") != "Insert" or node.get("Conflict Resolution") == "UPDATE"


def nodes_of(plan: Node) -> Iterator[Node]:
    """A node and all below it."""
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.get("Plans", ()))


def _name(node: Node) -> str:
    return f"{node['Schema']}.{node['Relation Name']}"


def first_word(text: str) -> str:
    """The word that a statement begins with, in lower case, past comments and parentheses; "" without one."""
    place = 0
    while True:
        if text.startswith("/*", place):
            place = _end_of_comment(text, place)
        elif found := _BEFORE.match(text, place):
            place = found.end()
        else:
            word = _WORD.match(text, place)
            return word[0].lower() if word else ""


def _end_of_comment(text: str, start: int) -> int:
    """Where a comment ends, with those inside of it, as PostgreSQL has it."""
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)
