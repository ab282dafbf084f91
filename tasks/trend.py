"""Steps: the trends of the history are drawn, published as artifacts, and kept as one file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from nightbench import settings
from nightbench.plan import Suite, Tier
from nightbench.report.markdown import said
from nightbench.trend_report.artifacts import DrawnTrend, drawn_trend
from nightbench.trend_report.keeping import keep_report
from nightbench.trend_report.markdown_pages import TrendPage
from tasks.scrubbed import scrubbed


@task(name="draw trend", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def draw_trend(nights: int, tiers: Sequence[Tier], suites: Sequence[Suite]) -> DrawnTrend:
    """The trends of the last `nights`; files that had to be passed over are told in the log."""
    drawn = await asyncio.to_thread(drawn_trend, settings.current(), nights, tiers, suites)
    logger = get_run_logger()
    for sentence in drawn.unreadable:
        logger.warning(sentence)
    return drawn


@task(name="publish trend", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish_trend(pages: Sequence[TrendPage]) -> int:
    """Publish each page under its key; return how many."""
    for each in pages:
        await acreate_markdown_artifact(each.text, key=each.key, description=said(each.title))
    return len(pages)


@task(name="keep report", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def keep_trend_report(path: str, html: str) -> None:
    """Keep the whole report as one file beside the results; nothing without a history."""
    if html:
        await asyncio.to_thread(keep_report, settings.current(), path, html)
