"""The slots of this machine that a run needs, held for the length of a block."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from nightbench.plan import Suite
from nightbench.settings import Settings
from nightbench.slots.folder import slots_folder
from nightbench.slots.holder import Busy
from nightbench.slots.inherited import inherited
from nightbench.slots.keys import SlotKey, keys_of
from nightbench.slots.line import PlaceInLine, Slots
from nightbench.slots.waiting import wait_for


@dataclass(frozen=True)
class Held:
    """The slots of a run.

    Attributes:
        who: The run, as others are told.
        keys: What it may load.
        waited: Seconds that it took to get them.
    """

    who: str
    keys: tuple[SlotKey, ...]
    waited: float

    @property
    def shared(self) -> tuple[SlotKey, ...]:
        """Those of subjects that another machine, or another user of this one, may load as well."""
        return tuple(key for key in self.keys if key.kind != "embedded")


_held: ContextVar[Held | None] = ContextVar("nightbench_slots_held", default=None)


_alone: ContextVar[bool] = ContextVar("nightbench_slots_alone", default=False)


def held() -> Held | None:
    """The slots of the run that is under way in this context, where other machines have to know of them."""
    return None if _alone.get() else _held.get()


@contextmanager
def known_here_only() -> Iterator[None]:
    """Have no other machine know of the slots inside the block: there is no server that they share with us."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


@asynccontextmanager
async def slots(
    settings: Settings,
    suites: Collection[Suite],
    who: str,
    *,
    stop: asyncio.Event,
    on_note: Callable[[str], None],
) -> AsyncIterator[Held]:
    """Wait for the slots of what `suites` load, and hold them until the end of the block.

    They are free again when the block ends, and when this process and the load generators that it has started
    have ended, however they did.

    Args:
        settings: What is loaded, where the slots are and how long to wait.
        suites: Which will run.
        who: Names this run to others: the flow, or the command.
        stop: Ends the wait when set.
        on_note: Told of whom we wait for.

    Raises:
        ConfigurationError: when the folder of the slots cannot be used.
        NotBegunError: when `stop` was set.
        SlotTakenError: when they could not be had in time.
    """
    begin = time.monotonic()
    keys = keys_of(settings, suites)
    with PlaceInLine(slots_folder(settings), keys, who) as place:

        async def take() -> Slots | Busy:
            return place.take()

        taken = await wait_for(take, seconds=settings.run.wait_seconds, stop=stop, on_note=on_note)
    mine = Held(who, keys, time.monotonic() - begin)
    token = _held.set(mine)
    try:
        with inherited(taken.descriptors):
            yield mine
    finally:
        _held.reset(token)
        taken.free()
