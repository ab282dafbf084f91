"""The night that is under way: how it begins, and what becomes of one that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

from nightbench.display import Display, no_display
from nightbench.errors import MeasurementError, NotBegunError
from nightbench.measurement import new_id
from nightbench.night import Night, OnNote, no_note
from nightbench.plan import Suite
from nightbench.reference.provide import BOTH
from nightbench.settings import Settings
from nightbench.slots.slot import slots
from nightbench.tiers import tiers_of

_running: ContextVar[Night | None] = ContextVar("nightbench_night", default=None)


def running_night() -> Night | None:
    """The night that is under way in this context."""
    return _running.get()


@asynccontextmanager
async def open_night(
    name: str,
    settings: Settings,
    *,
    display: Display = no_display,
    on_note: OnNote = no_note,
    stop: asyncio.Event | None = None,
    told: type[BaseException] = BaseException,
    needs: frozenset[Suite] = BOTH,
) -> AsyncIterator[Night]:
    """Begin the night of the flow `name` as soon as it may load its subject; it is the running one inside the block.

    What breaks it is alerted, also that it never got its slot. `told` is of which kind that has to be: `Exception`
    where somebody else tells of a night that is ended from outside; `needs` are the suites that it loads.

    Raises:
        ConfigurationError: when a setting, a folder or an address cannot be used; nothing is started then.
        NotBegunError: when `stop` was set while it waited.
        SlotTakenError: when another run loaded the subject for too long.
    """
    stop = stop or asyncio.Event()

    def begun() -> Night:
        judgements = max(1, len(tiers_of(name)))  # of none, where loads are tried
        return Night(
            settings,
            new_id(name),
            display=display,
            on_note=on_note,
            stop=stop,
            judgements=judgements,
            needs=needs,
        )

    night = begun()
    token = _running.set(night)
    try:
        await night.check()
        async with slots(settings, needs, name, stop=stop, on_note=on_note) as mine:
            if mine.waited >= 1:  # its id tells when it began
                night = begun()
                _running.set(night)
            yield night
    except (GeneratorExit, NotBegunError):
        raise
    except told as error:
        night.failed(None, None, error, tell=False)
        with suppress(MeasurementError):
            night.put_alerts()
        if isinstance(error, Exception):  # an interrupt waits for no server
            await asyncio.to_thread(night.deliver)
        raise
    finally:
        _running.reset(token)
        with suppress(MeasurementError):
            night.put_alerts()
