"""The baseline flow."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.ending import ends_well
from flows.subject import AskedSubject, subject_of
from flows.tier import run_tier
from nightbench.plan.asked import (
    Asked,
    AskedBlocks,
    AskedDatabase,
    AskedDuration,
    AskedQueries,
    AskedQuick,
    AskedReruns,
    AskedTargets,
    AskedUrl,
    AskedUsers,
    AskedWebSocket,
)
from tasks.crashed import crashed
from tasks.scrubbed import scrubbed


@flow(name="baseline", persist_result=False, on_crashed=[crashed])
@scrubbed
@ends_well
async def baseline(
    *,
    url: AskedUrl = None,
    users: AskedUsers = None,
    duration: AskedDuration = None,
    targets: AskedTargets = None,
    queries: AskedQueries = None,
    quick: AskedQuick = False,
    subject: AskedSubject = None,
    blocks: AskedBlocks = 1,
    reruns: AskedReruns = 0,
    websocket: AskedWebSocket = None,
    database: AskedDatabase = None,
) -> State[Any] | None:
    """A moderate load: 50 users for 2 minutes, 5,000 queries."""
    asked = Asked(users, duration, targets, queries, websocket, database, blocks, reruns)
    with subject_of(url, subject, asked):
        return await run_tier("baseline", asked.changes(), quick=quick)
