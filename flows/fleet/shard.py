"""The Prefect task of a shard."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.fleet import worker_side
from flows.fleet.protocol import Order
from nightbench.load.messages import Message
from tasks.scrubbed import scrubbed


@task(name="load shard", cache_policy=NO_CACHE, persist_result=False, retries=0)
@scrubbed
async def load_shard(order: Order) -> Message:
    """Run one shard on the Dask worker that this is called in."""
    return await worker_side.run_shard(order)
