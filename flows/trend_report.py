"""The trend of the history: no load, no slot, no alert."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from nightbench.form import LeftOut
from nightbench.plan import TIER_NAMES, Suite, Tier
from nightbench.plan.asked import shown
from nightbench.planning import SUITES
from tasks.scrubbed import scrubbed
from tasks.scrubbed_logs import scrub_logs
from tasks.trend import draw_trend, keep_trend_report, publish_trend

Nights = Annotated[
    int, Field(ge=7, le=365), shown("Nights", "how many of each suite are looked at, the last ones")
]
OneTier = Annotated[
    Tier | None, shown("Tier", "only this one; all that have a history unless chosen"), LeftOut()
]
OneSuite = Annotated[Suite | None, shown("Suite", "only this one; both unless chosen"), LeftOut()]


@flow(name="trend-report", persist_result=False)
@scrubbed
async def trend_report(*, nights: Nights = 90, tier: OneTier = None, suite: OneSuite = None) -> None:
    """The trend of every gating metric over the history, as artifacts and as one file; nothing is measured."""
    scrub_logs()
    tiers = TIER_NAMES if tier is None else (tier,)
    suites = SUITES if suite is None else (suite,)
    drawn = await draw_trend(nights, tiers, suites)
    await publish_trend(drawn.pages)
    await keep_trend_report(drawn.path, drawn.html)
