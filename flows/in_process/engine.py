"""Running a flow in this process: what ``nightbench run`` finds as its engine.

Prefect is imported late in here: it reads the environment at that moment, and takes more than a second,
in which the embedded server starts beside it.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from flows.in_process import environment
from flows.in_process.server import EmbeddedServer, embedded_server
from nightbench import settings as settings_module
from nightbench.display import Display, no_display
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.instances import instance_folder
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.night import Night, OnNote, no_note
from nightbench.outcome import NightOutcome
from nightbench.plan import TIER_NAMES, Tier, TierChanges
from nightbench.plan.layers import together
from nightbench.planning import planned
from nightbench.running import open_night
from nightbench.settings import Settings
from nightbench.slots.slot import known_here_only
from nightbench.tiers import NIGHTLY, tiers_of

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FLOW_NAMES = (*TIER_NAMES, NIGHTLY)

STARTING = "starting Prefect and the subject, which takes some seconds"


def run_flow(
    name: str,
    settings: Settings,
    *,
    quick: bool = False,
    changes: TierChanges | None = None,
    display: Display = no_display,
    on_note: OnNote = no_note,
) -> NightOutcome:
    """Run the flow `name` in this process, on the user's Prefect server or an embedded one.

    It may be called with or without a running event loop. In the main thread it handles SIGINT and SIGTERM:
    the first ends the night early, the second at once.

    Args:
        name: A tier or ``nightly``.
        settings: Where it runs.
        quick: Keep the concurrency, cut the length to seconds.
        changes: What to change in the tier, or in each of the nightly ones.
        display: Shows the running suite.
        on_note: Told at once of the start, of failures and of skipped suites.

    Raises:
        ConfigurationError: when there is no such flow or its plan, its subject or a folder cannot be used.
        MeasurementError: when the flow could not be run, or was interrupted twice.
    """
    parameters = _parameters(name, settings, changes or TierChanges(), quick=quick)

    async def main(stop: asyncio.Event) -> NightOutcome:
        async with open_night(name, settings, display=display, on_note=on_note, stop=stop) as night:
            with _prepared(settings) as server:
                on_note(STARTING)
                flow = getattr(importlib.import_module(f"flows.{name}"), name)
                async with night.provided():
                    if server is not None:
                        await server.ready()
                    await _run(flow, parameters, night, server)
            return night.outcome()

    with settings_module.use(settings), _quiet_libraries():
        return run_interruptible(main, on_first=lambda: on_note(STOPPING))


def _parameters(name: str, settings: Settings, changes: TierChanges, *, quick: bool) -> dict[str, Any]:
    """The parameters of a flow, each of its plans tried."""
    tiers = tiers_of(name)
    if not tiers:
        raise ConfigurationError("TIER", name, "no such tier", f"known are {', '.join(FLOW_NAMES)}")
    for tier in tiers:
        planned(settings, tier, changes, quick=quick)
    if name == NIGHTLY:
        return {"quick": quick, **dict.fromkeys(tiers, changes)}
    (tier,) = tiers
    return {
        "quick": quick,
        "websocket": changes.websocket,
        "database": changes.database,
        **_repetition(settings, tier, changes),
    }


def _repetition(settings: Settings, tier: Tier, changes: TierChanges) -> dict[str, int]:
    """How often the suites of a tier by itself run, as far as flags or plan file say so; else its flow knows.

    What the settings say is for the night: a short look at a tier would be a long one by them.
    """
    _, *of_the_command = settings.layers(tier, changes)
    said = together(of_the_command)
    return {name: value for name in ("blocks", "reruns") if (value := getattr(said, name)) is not None}


@contextmanager
def _prepared(settings: Settings) -> Iterator[EmbeddedServer | None]:
    """The environment of Prefect and, unless the user has one, the server, which is still starting."""
    with ExitStack() as stack:
        if external := environment.external():
            environment.check_reachable(external[environment.API_URL])
            stack.enter_context(environment.prefect_environment(external))
            yield None
            return
        folder = stack.enter_context(instance_folder(settings.cache, "prefect"))
        server = stack.enter_context(embedded_server(settings.cache, folder))
        variables = environment.embedded(folder, server.api_url)
        stack.enter_context(environment.prefect_environment(variables))
        stack.enter_context(environment.without_events())
        stack.enter_context(known_here_only())
        yield server


async def _run(flow: Any, parameters: dict[str, Any], night: Night, server: EmbeddedServer | None) -> None:
    """Run the flow; what breaks around its steps becomes a failure of the night."""
    from flows.states import OUTCOMES  # noqa: PLC0415  # imports Prefect

    try:
        state: State[Any] = await flow(**parameters, return_state=True)
    except Exception as error:  # noqa: BLE001  # the night has more to tell than this
        if server is not None and server.process.poll() is not None:
            error = MeasurementError(f"the embedded Prefect server ended: {error}")
        night.failed(None, None, error)
    else:
        if not state.is_completed() and state.name not in OUTCOMES:
            night.failed(None, None, await state.aresult(raise_on_failure=False))


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Warnings of libraries are no news for whoever runs a benchmark, unless asked for with -W."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
