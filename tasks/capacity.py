"""Step: the answer of a search for the capacity as an artifact, where the Prefect UI shows it."""

from __future__ import annotations

from uuid import UUID

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from nightbench.capacity.finding import Found
from nightbench.capacity.page import answer_of, capacity_page
from nightbench.report.markdown import said
from tasks.scrubbed import scrubbed

KEY = "nightbench-capacity-{suite}"


@task(name="publish capacity", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish_capacity(found: Found) -> UUID:
    """Publish the answer with each load that was tried."""
    return await acreate_markdown_artifact(
        capacity_page(found), key=KEY.format(suite=found.suite), description=said(answer_of(found))
    )
