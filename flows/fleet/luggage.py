"""What Prefect sends along with a task to another machine: which flow run it belongs to, and no more."""

from __future__ import annotations

from prefect import flow
from prefect.context import FlowRunContext, TaskRunContext


@flow(name="load", persist_result=False)
async def _bearer() -> None:
    """Stands for the flow of a night, whose code and parameters a shard has no use for."""


def travel_light() -> None:
    """Leave behind, in this context, the flow and the step that measure: with them the night itself would travel."""
    TaskRunContext.__var__.set(None)  # type: ignore[arg-type]  # as it is where there is no step
    running = FlowRunContext.get()
    if running is not None:
        light = running.model_copy(update={"flow": _bearer, "parameters": {}})
        FlowRunContext.__var__.set(light)
