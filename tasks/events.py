"""Step: events of the verdicts, on which users hang automations of their own."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from nightbench.night import Night
from nightbench.night_events import events_of
from tasks.scrubbed import scrubbed


@task(name="emit verdicts", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def emit_verdicts(night: Night) -> int:
    """Emit one event a suite and one for the night; return how many that were.

    They are handed to the worker of events beside the flow, which waits for no server here; the flow run, its
    deployment and their tags are related to each.
    """
    events = events_of(
        night.outcome(),
        environment=night.settings.environment,
        flow=night.owner or "night",
        links=night.links,
    )
    emitted = [
        emit_event(
            event.name,
            resource=dict(event.resource),
            payload=dict(event.payload),
            id=event.id,
        )
        for event in events
    ]
    return sum(event is not None for event in emitted)
