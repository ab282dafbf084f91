"""The nightly flow: the three tiers, one after the other."""

from collections.abc import Callable
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import baseline as baseline_flow
from flows import full as full_flow
from flows import stress as stress_flow
from flows.night import survive, the_night
from flows.states import OUTCOMES, failed_state
from nightbench.night import Night
from nightbench.plan import Tier, TierChanges
from tasks.checkin import checked_in
from tasks.crashed import crashed
from tasks.scrubbed import scrubbed

_TierFlow = Callable[..., Any]  # Prefect's overloads make no one type of it


@flow(name="nightly", persist_result=False, on_crashed=[crashed])
@scrubbed
async def nightly(
    baseline: TierChanges | None = None,
    full: TierChanges | None = None,
    stress: TierChanges | None = None,
    quick: bool = False,
) -> State[Any] | None:
    """Baseline, full and stress in sequence, then the alerts and the summary of all.

    A tier that fails does not stop the others.

    Args:
        baseline: What to change in the baseline tier.
        full: What to change in the full tier.
        stress: What to change in the stress tier.
        quick: Keep the concurrency of each tier, cut its length to seconds.
    """
    changes: dict[Tier, TierChanges | None] = {"baseline": baseline, "full": full, "stress": stress}
    async with checked_in(changes) as check_ins:
        async with the_night("nightly") as night:
            await _tier(night, "baseline", baseline_flow.baseline, baseline, quick=quick)
            await _tier(night, "full", full_flow.full, full, quick=quick)
            await _tier(night, "stress", stress_flow.stress, stress, quick=quick)
        check_ins.outcome = night.outcome()
    return failed_state(night.outcome())


async def _tier(
    night: Night, tier: Tier, run: _TierFlow, changes: TierChanges | None, *, quick: bool
) -> None:
    given = changes or TierChanges()
    subflow = run(**dict(given), quick=quick, return_state=True)
    state = await survive(night, subflow, tier)
    if state is not None and not state.is_completed() and state.name not in OUTCOMES:
        night.failed(tier, None, await state.aresult(raise_on_failure=False))
