"""The hook of every flow for a run that crashed: killed, out of memory, ended from outside."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger

from nightbench import settings
from nightbench.night_crash import Crash, tell_crash
from nightbench.running import running_night
from tasks.links import links_of
from tasks.scrubbed_logs import scrub_logs

INTERRUPTED = "Interrupted"
"""The name of a crashed state of which the night itself has told."""


def crashed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Alert a crashed run: in the process of the runner, or in the run's own when that was told to end.

    Of a flow that is a part of another, the other one tells; of one in a terminal, the night that is under way.
    """
    if flow_run.parent_task_run_id is not None or running_night() is not None or state.name == INTERRUPTED:
        return
    scrub_logs()
    crash = Crash(flow.name, str(flow_run.id), state.message or "", links_of(flow_run))
    if lost := tell_crash(settings.current(), crash):
        flow_run_logger(flow_run, flow).warning(lost)
