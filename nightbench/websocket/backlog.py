"""Connections that are sent more than can be read at once take turns, so that a flood stops no clock."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

TURN_NS = 5_000_000
"""How long a turn of the event loop reads what waits, and one more step at most."""

_clock = time.perf_counter_ns


class Backlog:
    """Who has more to read, in one event loop; one after the other does a step of it, from the first again."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], bool]] = deque()

    def enter(self, step: Callable[[], bool]) -> None:
        """Call `step` when it is its turn, and again as long as it returns that there is more to do."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append(step)

    def _turn(self) -> None:
        waiting, until = self._waiting, _clock() + TURN_NS
        try:
            while waiting and _clock() < until:
                step = waiting[0]
                more = False
                try:
                    more = step()
                finally:
                    waiting.popleft()
                    if more:
                        waiting.append(step)
        finally:
            if waiting:
                asyncio.get_running_loop().call_soon(self._turn)
