"""The begin and the end of a night, whichever flow the user began."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from prefect.logging import get_run_logger

from nightbench import settings
from nightbench.errors import NotBegunError
from nightbench.night import Night
from nightbench.plan import Suite, Tier
from nightbench.report.log_lines import logged_progress
from nightbench.running import open_night, running_night
from tasks.alert import alert, deliver_alerts
from tasks.links import current_run, links_of
from tasks.publish import publish
from tasks.scrubbed_logs import scrub_logs

T = TypeVar("T")

scrub_logs()  # as soon as there is a flow: what is wrong with its parameters is logged before it begins


@asynccontextmanager
async def the_night(name: str) -> AsyncIterator[Night]:
    """The night that this flow is a part of, or one of its own: whoever begins it also ends it."""
    scrub_logs()
    async with AsyncExitStack() as stack:
        running = running_night()
        night = running if running is not None else await stack.enter_async_context(_opened(name))
        if night.owner is not None:
            yield night
            return
        night.owner = name
        night.links |= links_of(current_run())
        yield night
        await _end(night)


@asynccontextmanager
async def _opened(name: str) -> AsyncIterator[Night]:
    """A night that no terminal has begun, with its subject."""
    logger = get_run_logger()
    display = partial(logged_progress, logger)
    # an end from outside, such as a kill, is told by the hook for crashes: once, whoever sees it
    own = open_night(name, settings.current(), display=display, on_note=logger.warning, told=Exception)
    async with own as night, night.provided():
        yield night


async def _end(night: Night) -> None:
    """Deliver the alerts and publish the summary."""
    for step in (alert, deliver_alerts):
        await survive(night, step(night))
    try:
        await publish(night)
    except Exception as error:  # noqa: BLE001  # whatever it is, the night was as good without it
        night.unimportant("the summary could not be published", error)


async def survive(
    night: Night, step: Awaitable[T], tier: Tier | None = None, suite: Suite | None = None
) -> T | None:
    """Await a step; when it raises, the night has that as a failure, and goes on.

    Raises:
        NotBegunError: as raised by the step, which is no failure.
    """
    try:
        return await step
    except NotBegunError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, the rest of the night is still worth having
        night.failed(tier, suite, error)
        return None
