"""The nightly flow: the three tiers, one after the other."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import baseline as baseline_flow
from flows import full as full_flow
from flows import stress as stress_flow
from flows.ending import ends_well
from flows.night import survive, the_night
from flows.part import TierFlow, run_part
from flows.states import failed_state
from flows.subject import AskedSubject, subject_of
from nightbench import settings
from nightbench.night import Night
from nightbench.plan import Tier, TierChanges
from nightbench.plan.asked import AskedBaseline, AskedFull, AskedQuick, AskedRelease, AskedStress, AskedUrl
from nightbench.planning import check_plans
from tasks.checkin import checked_in
from tasks.crashed import crashed
from tasks.links import current_run
from tasks.refused import begun_by_itself
from tasks.scrubbed import scrubbed


@flow(name="nightly", persist_result=False, on_crashed=[crashed])
@scrubbed
@ends_well
async def nightly(
    *,
    url: AskedUrl = None,
    subject: AskedSubject = None,
    release: AskedRelease = None,
    quick: AskedQuick = False,
    baseline: AskedBaseline = None,
    full: AskedFull = None,
    stress: AskedStress = None,
) -> State[Any] | None:
    """Baseline, full and stress in sequence, then the alerts and the summary of all.

    A tier that fails does not stop the others, unless a person is there to set its plan right.
    """
    changes: dict[Tier, TierChanges | None] = {"baseline": baseline, "full": full, "stress": stress}
    with subject_of(url, subject, release=release):
        if not begun_by_itself(current_run()):
            check_plans(settings.current(), changes, quick=quick)
        async with checked_in(changes) as check_ins:
            async with the_night("nightly") as night:
                await _tier(night, "baseline", baseline_flow.baseline, baseline, quick=quick)
                await _tier(night, "full", full_flow.full, full, quick=quick)
                await _tier(night, "stress", stress_flow.stress, stress, quick=quick)
            check_ins.outcome = night.outcome()
    return failed_state(night.outcome())


async def _tier(night: Night, tier: Tier, run: TierFlow, changes: TierChanges | None, *, quick: bool) -> None:
    given = changes or TierChanges()
    await survive(night, run_part(night, tier, run, {**dict(given), "quick": quick}), tier)
