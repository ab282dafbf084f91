"""Step: the database stress test."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from nightbench.database import stress_test
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.plan import DatabasePlan, Tier
from tasks.scrubbed import scrubbed


@task(name="measure database", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def measure_database(night: Night, tier: Tier, plan: DatabasePlan) -> Measurement:
    """Stress the database as `plan` says."""
    with night.display(tier) as on_progress:
        return await stress_test.run(
            plan, night.subject, night.label(tier), on_progress=on_progress, stop=night.stop
        )
