"""The flow of one tier: what its form asks for stands once, for the tiers have the same one."""

from typing import Any

from prefect import Flow, flow
from prefect.client.schemas.objects import State

from flows.ending import ends_well
from flows.subject import AskedSubject, subject_of
from flows.tier import run_tier
from nightbench.plan import Tier
from nightbench.plan.asked import (
    Asked,
    AskedBlocks,
    AskedDatabase,
    AskedDuration,
    AskedQueries,
    AskedQuick,
    AskedRelease,
    AskedReruns,
    AskedTargets,
    AskedUrl,
    AskedUsers,
    AskedWebSocket,
)
from tasks.crashed import crashed
from tasks.scrubbed import scrubbed


def tier_flow(tier: Tier, description: str) -> Flow[..., Any]:
    """The flow that runs `tier`, by itself or as a part of a night."""

    async def run(
        *,
        url: AskedUrl = None,
        users: AskedUsers = None,
        duration: AskedDuration = None,
        targets: AskedTargets = None,
        queries: AskedQueries = None,
        quick: AskedQuick = False,
        subject: AskedSubject = None,
        release: AskedRelease = None,
        blocks: AskedBlocks = 1,
        reruns: AskedReruns = 0,
        websocket: AskedWebSocket = None,
        database: AskedDatabase = None,
    ) -> State[Any] | None:
        asked = Asked(users, duration, targets, queries, websocket, database, blocks, reruns)
        with subject_of(url, subject, asked, release=release):
            return await run_tier(tier, asked.changes(), quick=quick)

    run.__name__ = run.__qualname__ = tier
    made = flow(name=tier, description=description, persist_result=False, on_crashed=[crashed])
    return made(scrubbed(ends_well(run)))
