"""Steps: alerts go into the outbox, and from there to Sentry."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.alerts.delivery import DeliveryReport
from nightbench.night import Night
from tasks.scrubbed import scrubbed


@task(name="alert", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def alert(night: Night) -> int:
    """Put what has not been told yet into the outbox; return how many alerts that were."""
    return await asyncio.to_thread(night.put_alerts)


@task(name="deliver alerts", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def deliver_alerts(night: Night) -> DeliveryReport:
    """Post what waits in the outbox, also from earlier nights."""
    return await asyncio.to_thread(night.deliver)
