"""Step: what came of a night as artifacts, where the Prefect UI shows them."""

from __future__ import annotations

import asyncio
from uuid import UUID

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from nightbench.night import Night
from nightbench.night_page import MOST_CHARTS, night_page
from nightbench.night_table import metric_rows, tiers_measured
from nightbench.outcome import headline
from nightbench.report.markdown import said
from tasks.scrubbed import scrubbed

KEY = "nightbench-summary"
METRICS_KEY = "nightbench-{tier}-metrics"
"""Each key has a history of its own in the UI."""


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish(night: Night) -> UUID:
    """Publish the night as a page, and the metrics of each of its tiers as a table."""
    outcome = night.outcome()
    told = said(f"{headline(outcome)} ({outcome.night_id})")
    histories = night.histories.chosen(MOST_CHARTS)
    text = await asyncio.to_thread(
        night_page, outcome, night.settings, histories=histories, links=night.links
    )
    page = await acreate_markdown_artifact(text, key=KEY, description=told)
    for tier in tiers_measured(outcome):
        await acreate_table_artifact(
            metric_rows(outcome, tier),
            key=METRICS_KEY.format(tier=tier),
            description=said(f"The metrics of {tier} in {outcome.night_id}"),
        )
    return page
