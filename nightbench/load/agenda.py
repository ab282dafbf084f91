"""What is due when, in order of time."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable

Action = Callable[[int], None]
"""Called with the instant (monotonic ns) at which it was due, which is not when it is called."""


class Agenda:
    """A heap of actions; those due at the same instant come in the order they were entered.

    Args:
        on_earlier: Told the instant when something is entered that is due before all else.
    """

    def __init__(self, on_earlier: Callable[[int], None] = lambda _due: None) -> None:
        self._on_earlier = on_earlier
        self._heap: list[tuple[int, int, Action]] = []
        self._entered = 0
        self._running = False
        self.closed = False

    def at(self, due: int, action: Action) -> None:
        """Enter an action; it may be due in the past. Once closed, nothing is entered any more."""
        if self.closed:
            return
        self._entered += 1
        entry = (due, self._entered, action)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry and not self._running:
            self._on_earlier(due)

    def run_due(self, now: int, *, at_most: int = sys.maxsize) -> None:
        """Call every action due at or before `now`, also those that the called ones enter; the first `at_most`."""
        heap = self._heap
        self._running = True
        try:
            for _ in range(at_most):
                if not heap or heap[0][0] > now:
                    break
                due, _, action = heapq.heappop(heap)
                action(due)
        finally:
            self._running = False

    def next_due(self) -> int | None:
        """The instant of the next action, None when there is none."""
        return self._heap[0][0] if self._heap else None

    def close(self) -> None:
        """Drop everything that has not been called, and whatever is entered from now on."""
        self.closed = True
        self._heap.clear()
