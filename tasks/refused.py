"""What is told of a flow run that cannot be what was asked for: a person reads its state, nobody reads a schedule's."""

from __future__ import annotations

import asyncio

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from nightbench import settings as settings_module
from nightbench.errors import ConfigurationError
from nightbench.night_crash import Crash, tell_refusal
from tasks.links import links_of


async def tell_refused(error: ConfigurationError) -> None:
    """Alert a run that a schedule or an automation began, where the settings say whom."""
    context = FlowRunContext.get()
    if context is None or context.flow is None or not begun_by_itself(context.flow_run):
        return
    try:
        settings = settings_module.current()
    except ConfigurationError:  # which is then what was refused
        return
    run = context.flow_run
    refused = Crash(context.flow.name, "" if run is None else str(run.id), str(error), links_of(run))
    if lost := await asyncio.to_thread(tell_refusal, settings, refused):
        get_run_logger().warning(lost)


def begun_by_itself(run: FlowRun | None) -> bool:
    """Whether no person began `run`: a schedule did, or an automation."""
    if run is None:
        return False
    by = run.created_by
    return run.auto_scheduled or (by is not None and by.type == "AUTOMATION")
