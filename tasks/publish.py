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
from nightbench.outcome import NightOutcome, headline
from nightbench.plan import Tier
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
    tables = [_table(outcome, tier) for tier in tiers_measured(outcome)]  # made while the page is drawn
    page, *_ = await asyncio.gather(_page(night, outcome), *tables)
    return page


async def _page(night: Night, outcome: NightOutcome) -> UUID:
    histories = night.histories.chosen(MOST_CHARTS)
    text = await asyncio.to_thread(
        night_page, outcome, night.settings, histories=histories, links=night.links
    )
    told = said(f"{headline(outcome)} ({outcome.night_id})")
    return await acreate_markdown_artifact(text, key=KEY, description=told)


async def _table(outcome: NightOutcome, tier: Tier) -> UUID:
    return await acreate_table_artifact(
        metric_rows(outcome, tier),
        key=METRICS_KEY.format(tier=tier),
        description=said(f"The metrics of {tier} in {outcome.night_id}"),
    )
