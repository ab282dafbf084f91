"""How many users were connected when."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np


class Presence:
    """When connections were opened and lost, ns since the start of the load test; exact when merged."""

    def __init__(self) -> None:
        self._opened = array("q")
        self._lost = array("q")

    def open(self, instant: int) -> None:
        """A user is connected from now on."""
        self._opened.append(instant)

    def lose(self, instant: int) -> None:
        """A user is connected no more."""
        self._lost.append(instant)

    @property
    def active(self) -> int:
        """How many are connected."""
        return len(self._opened) - len(self._lost)

    @property
    def all_lost(self) -> bool:
        """Whether there were connections, and none is left."""
        return self.active == 0 and len(self._opened) > 0

    @property
    def most(self) -> int:
        """The most that were connected at one instant; who leaves at an instant makes room for who comes then."""
        instants = np.concatenate([np.array(self._lost, np.int64), np.array(self._opened, np.int64)])
        changes = np.concatenate([np.full(len(self._lost), -1), np.full(len(self._opened), 1)])
        order = np.argsort(instants, kind="stable")
        return max(0, int(np.cumsum(changes[order]).max(initial=0)))

    @classmethod
    def merged(cls, parts: Iterable[Presence]) -> Presence:
        """The presence of all users of several shards."""
        whole = cls()
        for part in parts:
            whole._take(part)
        return whole

    def _take(self, other: Presence) -> None:
        self._opened.extend(other._opened)
        self._lost.extend(other._lost)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Presence):
            return NotImplemented
        return sorted(self._opened) == sorted(other._opened) and sorted(self._lost) == sorted(other._lost)

    __hash__ = None  # type: ignore[assignment]  # it changes
