"""Steps: the trends of the history are drawn, and published as artifacts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from nightbench import settings as settings_module
from nightbench.history.store import HistoryStore
from nightbench.plan import Suite, Tier
from nightbench.report.markdown import said
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.trend_pages import TrendPage, trend_pages
from nightbench.trends import suite_trends
from tasks.scrubbed import scrubbed


@task(name="draw trend", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def draw_trend(nights: int, tiers: Sequence[Tier], suites: Sequence[Suite]) -> tuple[TrendPage, ...]:
    """The pages of the trends of the last `nights`; files that had to be passed over are told in the log."""
    settings = settings_module.current()
    store = HistoryStore(settings.results)
    pages = await asyncio.to_thread(_pages, store, settings, nights, tiers, suites)
    logger = get_run_logger()
    for file in store.unreadable:
        logger.warning("%s: not part of the history: %s", file.path, file.problem)
    return pages


@task(name="publish trend", cache_policy=NO_CACHE, persist_result=False)
@scrubbed
async def publish_trend(pages: Sequence[TrendPage]) -> int:
    """Publish each page under its key; return how many."""
    for each in pages:
        await acreate_markdown_artifact(each.text, key=each.key, description=said(each.title))
    return len(pages)


def _pages(
    store: HistoryStore, settings: Settings, nights: int, tiers: Sequence[Tier], suites: Sequence[Suite]
) -> tuple[TrendPage, ...]:
    policy = policy_of(settings)
    trends = tuple(
        suite_trends(store, settings.environment, policy, nights=nights, tiers=tiers, suites=suites)
    )
    return trend_pages(trends, settings.environment, str(settings.results))
