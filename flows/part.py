"""A tier as a part of the nightly flow, with a run of its own wherever there is a server to have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from prefect.client.schemas.objects import State

from flows.states import OUTCOMES
from nightbench.night import Night
from nightbench.plan import Tier

TierFlow = Any  # a flow: Prefect's overloads make no one type of it


async def run_part(night: Night, tier: Tier, run: TierFlow, parameters: Mapping[str, Any]) -> None:
    """Run the flow of a tier inside the night.

    A server that is away when it begins, or ends, costs the tier its own run on the server, and nothing else.

    Raises:
        Exception: whatever else breaks around its steps.
    """
    try:
        state: State[Any] = await run(**parameters, return_state=True)
    except httpx.HTTPError as error:
        begun = night.outcome().of_tier(tier)
        if begun.verdicts or begun.failures or begun.skipped:
            night.unimportant(f"{tier}: the Prefect server does not know how it ended", error)
            return
        night.unimportant(f"{tier}: measured without a run of its own on the Prefect server", error)
        await run.fn(**parameters)
        return
    if not state.is_completed() and state.name not in OUTCOMES:
        night.failed(tier, None, await state.aresult(raise_on_failure=False))
