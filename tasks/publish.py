"""Step: the summary as an artifact, where the Prefect UI shows it."""

from __future__ import annotations

from uuid import UUID

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from nightbench.night import Night
from nightbench.outcome import night_markdown
from nightbench.scrub import scrub
from tasks.scrubbed import scrubbed

KEY = "nightbench-summary"


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish(night: Night) -> UUID:
    """Publish the summary of the night as a markdown artifact."""
    return await acreate_markdown_artifact(
        night_markdown(night.outcome(), night.settings),
        key=KEY,
        description=scrub(f"The summary of {night.night_id}"),
    )
