"""A run that is told to end: the first word ends it early, with what it has; the second, or its time limit, at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Those that ask a process to end."""

Handler = Callable[[int, FrameType | None], object]


class Ending:
    """What becomes of the task that makes it, once somebody wants it to end.

    Attributes:
        stop: Set at the first word: what runs ends early, and nothing else begins.
        told: How often it was told.
        at_once: Whether the task was cancelled for it.
    """

    def __init__(
        self, stop: asyncio.Event, *, limit: float | None = None, on_first: Callable[[], object] | None = None
    ) -> None:
        """Be ready for it.

        Args:
            stop: See above.
            limit: Seconds that the task may take to end early; None for as long as it needs.
            on_first: Called at the first word.
        """
        task = asyncio.current_task()
        assert task is not None
        self.stop = stop
        self.told = 0
        self.at_once = False
        self._task = task
        self._limit = limit
        self._on_first = on_first
        self._timer: asyncio.TimerHandle | None = None

    def tell(self) -> None:
        """Tell it to end; in the thread of its loop."""
        self.told += 1
        if self.told > 1:
            self._now()
            return
        self.stop.set()
        if self._limit is not None:
            self._timer = asyncio.get_running_loop().call_later(self._limit, self._now)
        if self._on_first is not None:
            self._on_first()

    def close(self) -> None:
        """The task has ended: its time limit is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _now(self) -> None:
        self.at_once = True
        self._task.cancel()


@contextmanager
def signals_handled(handler: Handler) -> Iterator[None]:
    """Have `handler` hear of `SIGNALS` inside the block; in another thread than the main one they are not ours.

    A SIGHUP that is ignored, as `nohup` has it, stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, handler)
        for number in SIGNALS
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, each in before.items():
            signal.signal(number, each)
