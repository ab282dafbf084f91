"""How a flow run ends that is told to: by a cancel in the UI, a worker that stops, a machine that shuts down.

Prefect's own handler ends a flow where it stands, without its results. Here the first SIGTERM ends the running
suite early, and everything after it goes its usual way: saved, judged, told. The second one, or the limit of
time, ends at once. A run in a terminal has its own door, `nightbench.interruption`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ParamSpec

from prefect.client.schemas.objects import FlowRun, State
from prefect.logging import get_run_logger

from flows.beside.orphans import cancelled_unheard, is_cancelling, outlive_readers
from flows.states import (
    cancelled_at_once_state,
    cancelled_state,
    crashed_state,
    interrupted_state,
    refused_state,
    slot_taken_state,
    too_late_state,
)
from nightbench import settings as settings_module
from nightbench.ending import Ending, signals_handled
from nightbench.errors import ConfigurationError, NotBegunError
from nightbench.lateness import too_late
from nightbench.night import Night
from nightbench.night_ending import EARLY_SECONDS, ToldToEndError, is_whole, kept_of
from nightbench.running import running_night
from nightbench.slots.waiting import SlotTakenError
from tasks.links import current_run
from tasks.refused import tell_refused

P = ParamSpec("P")
Body = Callable[P, Awaitable[State[Any] | None]]

STOPPING = (
    "told to end: stopping early, what was measured is kept; told again, or after {:g} s, it ends at once"
)


class FlowEnding(Ending):
    """That of a flow run.

    Attributes:
        night: The night of this run, as soon as there is one.
        has_teller: Whether a night has begun, which tells of what breaks it.
    """

    def __init__(self, run: FlowRun | None) -> None:
        super().__init__(asyncio.Event(), limit=EARLY_SECONDS, on_first=self._begin_to_ask)
        self.night: Night | None = None
        self.has_teller = False
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._asking: asyncio.Task[bool] | None = None
        self._logger = get_run_logger()

    def on_signal(self, *_: object) -> None:
        """Hear a signal."""
        with suppress(RuntimeError):  # the loop has just been closed
            self._loop.call_soon_threadsafe(self.tell)

    def _begin_to_ask(self) -> None:
        self._logger.warning(STOPPING.format(EARLY_SECONDS))
        if self._run is not None:
            self._asking = asyncio.create_task(is_cancelling(self._run))

    async def by_a_user(self) -> bool:
        """Whether a user has cancelled the run; False where that cannot be learned."""
        return self._asking is not None and await self._asking


_ending: ContextVar[FlowEnding | None] = ContextVar("nightbench_ending", default=None)


def ends_well(body: Body[P]) -> Body[P]:
    """Have a flow end early when it is told to, with a state that says so, and not begin when it is too late.

    Stands directly above the function; what is a part of another flow ends with that one.
    """

    @functools.wraps(body)
    async def run(*args: P.args, **kwargs: P.kwargs) -> State[Any] | None:
        if (ending := _ending.get()) is not None:
            with signals_handled(ending.on_signal):  # which the engine of the part has taken back
                return await body(*args, **kwargs)
        if running_night() is not None:  # of a terminal
            return await body(*args, **kwargs)
        flow_run = current_run()
        if why := _too_late(flow_run):
            get_run_logger().warning(why)
            return too_late_state(why)
        outlive_readers()
        ending = FlowEnding(flow_run)
        with signals_handled(ending.on_signal):
            async with cancelled_unheard(flow_run, ending.tell):
                return await _ended(ending, body(*args, **kwargs))

    return run


async def _ended(ending: FlowEnding, body: Awaitable[State[Any] | None]) -> State[Any] | None:
    token = _ending.set(ending)
    try:
        state = await _state_of(body, ending)
    finally:
        ending.close()
        _ending.reset(token)
    if not ending.told or (state is not None and state.is_completed()):  # as a search that had its answer
        return state
    outcome = None if ending.night is None else ending.night.outcome()
    if await ending.by_a_user():
        return (cancelled_at_once_state if ending.at_once else cancelled_state)(kept_of(outcome))
    if ending.at_once or outcome is None:
        return crashed_state(kept_of(outcome))
    return state if is_whole(outcome) else interrupted_state(kept_of(outcome))


async def _state_of(body: Awaitable[State[Any] | None], ending: FlowEnding) -> State[Any] | None:
    """What a run says of itself, or why it did not begin; None too when it was told to end before it had a word."""
    try:
        return await body
    except NotBegunError:
        if not ending.told:
            raise
    except SlotTakenError as error:  # which the night has told
        return slot_taken_state(str(error))
    except ConfigurationError as error:
        return await _refused(ending, error)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not ending.at_once or task is None:
            raise
        while task.uncancel():
            pass
    return None


async def _refused(ending: FlowEnding, error: ConfigurationError) -> State[Any]:
    if not ending.has_teller:
        await tell_refused(error)
    return refused_state(str(error))


def stop_of_night() -> asyncio.Event | None:
    """What ends the night of this flow run early, which from now on tells of what breaks it."""
    ending = _ending.get()
    if ending is None:
        return None
    ending.has_teller = True
    return ending.stop


@asynccontextmanager
async def accounted_for(night: Night) -> AsyncIterator[None]:
    """The body of a night: cut short by anybody but a user, that is a failure, which is told once."""
    ending = _ending.get()
    if ending is None:
        yield
        return
    ending.night = night
    yield
    if ending.told and not is_whole(night.outcome()):
        night.cancelled = await ending.by_a_user()
        if not night.cancelled:
            night.failed(None, None, ToldToEndError())


def _too_late(run: FlowRun | None) -> str:
    if run is None or not run.auto_scheduled or run.run_count > 1:  # a person who asks for it again means it
        return ""
    try:
        late_minutes = settings_module.current().run.late_minutes
    except ConfigurationError:  # which the night itself tells
        return ""
    return too_late(run.expected_start_time, datetime.now(UTC), late_minutes)
