"""Step: the answer of a search for the capacity as an artifact, where the Prefect UI shows it."""

from __future__ import annotations

import asyncio
from uuid import UUID

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from nightbench.capacity.answer import answer_of
from nightbench.capacity.finding import Found
from nightbench.capacity.page import capacity_page
from nightbench.capacity.picture import knee_picture
from nightbench.report.markdown import said
from tasks.scrubbed import scrubbed

KEY = "nightbench-capacity-{suite}"


@task(name="publish capacity", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish_capacity(found: Found, *, environment: str) -> UUID:
    """Publish the answer with its chart, and with each load that was tried."""
    picture = await asyncio.to_thread(knee_picture, found, environment=environment)
    return await acreate_markdown_artifact(
        capacity_page(found, picture), key=KEY.format(suite=found.suite), description=said(answer_of(found))
    )
