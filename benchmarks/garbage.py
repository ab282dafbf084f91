"""A predicate for replies that makes cyclic garbage: it is what a careless plan may bring into the generator."""

from __future__ import annotations

from collections import deque
from typing import Any

NODES = 2_000
"""Objects that each call leaves behind."""

_groups: deque[list[Any]] = deque(maxlen=1500)
"""Those of the last calls: they grow old before they are garbage, so that only full collections free them."""


def belongs(message_id: str, reply: Any) -> bool:
    """Whether `reply` is one to the message, found out at great cost."""
    head: list[Any] = []
    node = head
    for _ in range(NODES):
        node.append([])
        node = node[0]
    node.append(head)  # the cycle
    _groups.append(head)
    return isinstance(reply, dict) and reply.get("id") == message_id
