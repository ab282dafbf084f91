"""What is due when, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[int], None]
"""Called with the instant (monotonic ns) at which it was due, which is not when it is called."""


class Agenda:
    """A heap of actions; those due at the same instant come in the order they were entered."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._entered = 0

    def at(self, due: int, action: Action) -> None:
        """Enter an action; it may be due in the past."""
        self._entered += 1
        heapq.heappush(self._heap, (due, self._entered, action))

    def run_due(self, now: int) -> None:
        """Call every action due at or before `now`, also those that the called ones enter."""
        while self._heap and self._heap[0][0] <= now:
            due, _, action = heapq.heappop(self._heap)
            action(due)

    def next_due(self) -> int | None:
        """The instant of the next action, None when there is none."""
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        """Drop everything that has not been called."""
        self._heap.clear()
