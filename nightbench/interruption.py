"""Ctrl-C, SIGTERM and SIGHUP while a measurement runs: once ends it early, twice ends it at once.

The measurement runs on the event loop of a thread of its own and the main thread waits for it. So it works
where a loop is running already, as in a notebook, and nobody else's signal handler can be installed over
ours: Prefect's ends a flow without its results.
"""

from __future__ import annotations

import asyncio
import contextvars
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, Generic, TypeVar

from nightbench.ending import Ending, signals_handled
from nightbench.errors import MeasurementError, NightbenchError, NotBegunError

T = TypeVar("T")

STOPPING = (
    "stopping early: what was measured is kept, but a measurement cut short is neither a pass nor a fail; "
    "interrupt again to end at once"
)
"""What is said at the first signal."""

Main = Callable[[asyncio.Event], Coroutine[Any, Any, T]]
"""What to run; it ends early when the event is set."""


def run_interruptible(main: Main[T], *, on_first: Callable[[], None]) -> T:
    """Run ``main(stop)`` to its end and return its result.

    The first SIGINT, SIGTERM or SIGHUP sets `stop` and calls `on_first`; the second cancels `main`. A SIGHUP
    that is ignored, as `nohup` has it, stays so.

    Raises:
        NotBegunError: when it was cancelled, and had not begun when it was told to end early.
        MeasurementError: when it was cancelled.
    """
    run = _Run(main, on_first)
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run.on_own_loop,), name="flow")
    with signals_handled(run.on_signal):
        thread.start()
        _wait(run.result)
        thread.join()
    return run.result.result()


class _Run(Generic[T]):
    def __init__(self, main: Main[T], on_first: Callable[[], None]) -> None:
        self.result: Future[T] = Future()
        self._main = main
        self._on_first = on_first
        self._signals = 0
        self._hear: Callable[[], None] | None = None

    def on_own_loop(self) -> None:
        try:
            self.result.set_result(asyncio.run(self._watched()))
        except asyncio.CancelledError as error:
            self.result.set_exception(_ended_at_once(error))
        except BaseException as error:  # noqa: BLE001  # it is raised again in the main thread
            self.result.set_exception(error)

    async def _watched(self) -> T:
        loop, ending = asyncio.get_running_loop(), Ending(asyncio.Event())

        def hear() -> None:
            while ending.told < self._signals:
                ending.tell()

        self._hear = partial(_on_loop, loop, hear)
        hear()  # those that came before there was anything to end
        return await self._main(ending.stop)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        first = self._signals == 1
        if self._hear is not None:
            self._hear()
        if first:
            # last, and whatever comes of it: there may be nobody left to talk to
            with suppress(Exception):
                self._on_first()


def _wait(result: Future[T]) -> None:
    """Sleep until there is a result; every signal wakes, so that its handler can run, which is in this thread.

    From a lock, such as a thread that is joined, none does that comes just before, or to another thread.
    """
    if threading.current_thread() is not threading.main_thread():
        wait([result])
        return
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)

        def wake(_: Future[T]) -> None:
            with suppress(OSError):  # woken already
                waker.send(b"\0")

        before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            result.add_done_callback(wake)
            while not result.done():
                woken.recv(4096)
        finally:
            signal.set_wakeup_fd(before)


def _ended_at_once(cancelled: asyncio.CancelledError) -> NightbenchError:
    """What is told; that a run had not begun may have been on its way already, or be why it was cancelled."""
    behind: BaseException | None = cancelled
    while behind is not None:
        if isinstance(behind, NotBegunError):
            return behind
        behind = behind.__cause__ or behind.__context__
    return MeasurementError("interrupted twice: ended at once; what was recorded before is kept")


def _on_loop(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the loop is closed: it has just ended by itself
        loop.call_soon_threadsafe(action)
