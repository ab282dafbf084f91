"""An alarm clock for an event loop: it rings at an instant given in ns, not in the loop's milliseconds.

A loop's own timers are no finer than a millisecond (uvloop rounds to one, epoll waits for whole ones): sends
would be late by half of one on average, and all of it would be told as the subject's. A Linux timerfd
(timerfd_create(2)) becomes readable at its instant of CLOCK_MONOTONIC, which is what ``perf_counter_ns`` reads.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1

_clock = time.perf_counter_ns


class _Timer(Protocol):
    """What wakes the alarm: at its instant or later, and perhaps in vain."""

    def arm(self, at: int) -> None:
        """Wake at this instant, and not at the one before."""

    def disarm(self) -> None:
        """Do not wake."""

    def close(self) -> None:
        """Give back what it holds."""


class Alarm:
    """Rings once at the instant that was set last, never before it; belongs to the running event loop.

    Args:
        ring: Called in the loop, where it may set the alarm anew.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at: int | None = None
        self._timer: _Timer = _timer(asyncio.get_running_loop(), self._wake)
        self._closed = False

    def set(self, at: int | None) -> None:
        """Ring at this instant (`perf_counter_ns`), soon if it is over; with None, do not ring.

        It replaces the instant set before, and costs next to nothing when it is the same.
        """
        if at == self._at or self._closed:
            return
        self._at = at
        if at is None:
            self._timer.disarm()
        else:
            self._timer.arm(at)

    def close(self) -> None:
        """Do not ring any more, whatever is set."""
        if not self._closed:
            self._closed = True
            self._at = None
            self._timer.close()

    def _wake(self) -> None:
        at = self._at
        if at is None:
            return  # it was unset after it had expired
        if _clock() < at:
            self._timer.arm(at)  # it was set anew after it had expired, or the loop is early
            return
        self._at = None
        try:
            self._ring()
        finally:
            if self._at is None and not self._closed:
                self._timer.disarm()


def _timer(loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> _Timer:
    """The finest timer that there is here."""
    # the structure below is that of 64-bit Linux; some sandboxes and emulations know no such call
    if sys.platform == "linux" and ctypes.sizeof(ctypes.c_long) == 8:
        try:
            return _TimerFd(loop, wake)
        except OSError:
            pass
    return _LoopTimer(loop, wake)


class _TimerFd:
    """A timerfd in the loop's poll. It stays readable until it is armed anew or disarmed; nobody reads it.

    Raises:
        OSError: when there is none to be had.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "timerfd_create"):
            msg = "this C library has no timerfd"
            raise OSError(msg)
        self._fd: int = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._loop = loop
        loop.add_reader(self._fd, wake)
        # PyDLL: the call never blocks, so it need not let go of the interpreter
        self._settime = ctypes.PyDLL(None).timerfd_settime
        # struct itimerspec: interval s, interval ns, value s, value ns; made once, since it is set for each send
        self._spec = (ctypes.c_long * 4)()
        self._pointer = ctypes.byref(self._spec)

    def arm(self, at: int) -> None:
        # all zeros would disarm it
        self._spec[2], self._spec[3] = divmod(at, _SECOND) if at > 0 else (0, 1)
        self._set()

    def disarm(self) -> None:
        self._spec[2] = self._spec[3] = 0
        self._set()

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _set(self) -> None:
        if self._settime(self._fd, _TFD_TIMER_ABSTIME, self._pointer, None) != 0:
            msg = "the timer cannot be set"
            raise OSError(msg)


class _LoopTimer:
    """A timer of the loop, as fine as that is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop = loop
        self._wake = wake
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, at: int) -> None:
        self.disarm()
        # at least 1 ms ahead: uvloop calls what is due in less than half of one at once, which is too early,
        # and again and again until it is not
        ahead = at - _clock()
        seconds = max(ahead, _MILLISECOND) / _SECOND if ahead > 0 else 0.0
        self._handle = self._loop.call_later(seconds, self._wake)

    def disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def close(self) -> None:
        self.disarm()
