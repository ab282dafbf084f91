"""The begin and the end of a night, whichever flow the user began."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from prefect.logging import get_run_logger

from flows.beside.progress import progress_artifacts
from flows.beside.slot import shared_slot
from flows.ending import accounted_for, stop_of_night
from flows.fleet.choice import fleet_of
from nightbench import settings
from nightbench.display import shown_on_both
from nightbench.errors import NotBegunError
from nightbench.night import Night
from nightbench.plan import Suite, Tier
from nightbench.reference.provide import BOTH
from nightbench.report.log_lines import logged_progress
from nightbench.running import open_night, running_night
from tasks.alert import alert, deliver_alerts
from tasks.events import emit_verdicts
from tasks.links import current_run, links_of
from tasks.publish import publish
from tasks.scrubbed_logs import scrub_logs

T = TypeVar("T")

Tells = Sequence[tuple[Callable[[Night], Awaitable[object]], str]]
"""What tells of a night on the Prefect server, and what is said when it cannot."""
OF_A_NIGHT: Tells = (
    (publish, "the summary could not be published"),
    (emit_verdicts, "the events could not be emitted"),
)

scrub_logs()  # as soon as there is a flow: what is wrong with its parameters is logged before it begins


@asynccontextmanager
async def the_night(
    name: str, *, needs: frozenset[Suite] = BOTH, tells: Tells = OF_A_NIGHT
) -> AsyncIterator[Night]:
    """The night that this flow is a part of, or one of its own: whoever begins it also ends it, and `tells` of it."""
    scrub_logs()
    async with AsyncExitStack() as stack:
        running = running_night()
        night = running if running is not None else await stack.enter_async_context(_opened(name, needs))
        if night.owner is not None:
            yield night
            return
        if running is not None:  # of a terminal, which has its slots of this machine alone
            await stack.enter_async_context(shared_slot(night))
        night.owner = name
        night.links |= links_of(current_run())
        night.fleet = fleet_of(night.settings.run.dask)
        async with accounted_for(night):
            yield night
        await _end(night, tells)


@asynccontextmanager
async def _opened(name: str, needs: frozenset[Suite]) -> AsyncIterator[Night]:
    """A night that no terminal has begun, with its subject."""
    logger = get_run_logger()
    lines = partial(logged_progress, logger)
    # an end from outside, such as a kill, is told by the hook for crashes: once, whoever sees it
    async with progress_artifacts() as artifacts:
        own = open_night(
            name,
            settings.current(),
            display=shown_on_both(lines, artifacts),
            on_note=logger.warning,
            stop=stop_of_night(),
            told=Exception,
            needs=needs,
        )
        async with own as night, shared_slot(night), night.provided():
            yield night


async def _end(night: Night, tells: Tells) -> None:
    """Deliver the alerts, then tell those who look at the Prefect server."""
    for step in (alert, deliver_alerts):
        await survive(night, step(night))
    for tell, problem in tells:
        try:
            await tell(night)
        except Exception as error:  # noqa: BLE001  # whatever it is, the night was as good without it
            night.unimportant(problem, error)


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
