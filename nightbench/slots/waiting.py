"""Waiting for a slot, which says for whom, and ends in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nightbench.errors import NightbenchError, NotBegunError
from nightbench.slots.holder import Busy

T = TypeVar("T")

POLL_SECONDS = 0.5
"""Between two looks at a slot of this machine, which cost about 0.1 ms."""

TELL_SECONDS = 60.0
"""Until it is said again that we wait; then after twice as long, and so on."""
_LONGEST_TELL_SECONDS = 900.0

SETTING = "NIGHTBENCH_RUN__WAIT_SECONDS"


class SlotTakenError(NightbenchError):
    """A run that did not get to load its subject, since another one did: nothing was measured."""

    def __init__(self, busy: Busy, waited: float) -> None:
        after = f" after waiting {_duration(waited)}" if waited >= 1 else ""
        way_out = busy.way_out or "run again when that one has ended"
        super().__init__(
            f"{busy}{after}: nothing was measured; {way_out}, or wait longer with --wait or {SETTING} (seconds)"
        )


async def wait_for(
    take: Callable[[], Awaitable[T | Busy]],
    *,
    seconds: float,
    stop: asyncio.Event,
    on_note: Callable[[str], None],
    poll: float = POLL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """What `take` gives, as soon as it gives something else than `Busy`.

    Args:
        take: Tries to have it.
        seconds: How long to wait; 0 tries once.
        stop: Ends the wait when set.
        on_note: Told at once of whom we wait for, when that is another one, and every now and then.
        poll: Seconds between two tries.
        clock: Seconds from any begin.

    Raises:
        NotBegunError: when `stop` was set.
        SlotTakenError: when it could not be had in time.
    """
    begin, pause, told, tell_at = clock(), TELL_SECONDS, "", 0.0
    while True:
        if stop.is_set():
            raise NotBegunError
        got = await take()
        if not isinstance(got, Busy):
            return got
        waited = clock() - begin
        if waited >= seconds:
            raise SlotTakenError(got, waited)
        if str(got) != told or waited >= tell_at:
            if str(got) == told:
                pause = min(2 * pause, _LONGEST_TELL_SECONDS)
            told, tell_at = str(got), waited + pause
            on_note(f"{told}; waiting for up to {_duration(seconds - waited)} more")
        await _rest(stop, min(poll, seconds - waited))


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
