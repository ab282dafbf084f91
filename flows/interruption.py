"""Ctrl-C and SIGTERM while a flow runs in this process: once ends early, twice ends at once.

The flow runs on the event loop of a thread of its own and the main thread waits. There, Prefect's handler
of SIGTERM, which ends a flow without its results, cannot be installed over ours.
"""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import Any, Generic, TypeVar

from nightbench.errors import MeasurementError

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Main = Callable[[asyncio.Event], Coroutine[Any, Any, T]]
"""What to run; it ends early when the event is set."""


def run_interruptible(main: Main[T], *, on_first: Callable[[], None]) -> T:
    """Run ``main(stop)`` to its end and return its result.

    The first SIGINT or SIGTERM sets `stop` and calls `on_first`; the second cancels `main`.

    Raises:
        MeasurementError: when it was cancelled.
    """
    run = _Run(main, on_first)
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run.on_own_loop,), name="flow")
    with run.signals_handled():
        thread.start()
        thread.join()
    return run.result.result()


class _Run(Generic[T]):
    def __init__(self, main: Main[T], on_first: Callable[[], None]) -> None:
        self.result: Future[T] = Future()
        self._main = main
        self._on_first = on_first
        self._signals = 0
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def on_own_loop(self) -> None:
        try:
            self.result.set_result(asyncio.run(self._watched()))
        except asyncio.CancelledError:
            error = MeasurementError("interrupted twice: ended at once; what was recorded before is kept")
            self.result.set_exception(error)
        except BaseException as error:  # noqa: BLE001  # it is raised again in the main thread
            self.result.set_exception(error)

    async def _watched(self) -> T:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._task = asyncio.current_task()
        self._started.set()
        return await self._main(self._stop)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._started.wait(5)
        if self._loop is None or self._loop.is_closed():
            return
        if self._signals == 1:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._on_first()
        elif self._signals == 2 and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    @contextmanager
    def signals_handled(self) -> Iterator[None]:
        """Handle the signals inside the block; in another thread than the main one they are not ours."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
