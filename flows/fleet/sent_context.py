"""What Prefect sends along with a task to another machine: which flow run it belongs to, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect import flow
from prefect.context import FlowRunContext, TaskRunContext


@flow(name="load", persist_result=False)
async def _bearer() -> None:
    """Stands for the flow of a night, whose code and parameters a shard has no use for."""


@contextmanager
def light_context() -> Iterator[None]:
    """Leave behind, inside the block, the flow and the step that measure: with them the night itself would travel."""
    running = FlowRunContext.get()
    with ExitStack() as stack:
        if running is not None:
            stack.enter_context(running.model_copy(update={"flow": _bearer, "parameters": {}}))
        step = TaskRunContext.__var__.set(None)  # type: ignore[arg-type]  # Prefect has no other way out of a step
        stack.callback(TaskRunContext.__var__.reset, step)
        yield
