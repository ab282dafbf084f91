"""What is asked of a search for the capacity, and the search that the answers make."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nightbench.capacity.search import SearchPlan
from nightbench.errors import ConfigurationError
from nightbench.plan import Suite, Tier
from nightbench.plan.asked import shown

HIGHEST = 50_000
"""Users of one plan; and queries a second that one machine might ask."""

AskedSuite = Annotated[
    Suite,
    shown(
        "Suite", "what is loaded: the WebSocket with more and more users, or the database with more queries/s"
    ),
]
AskedTier = Annotated[
    Tier, shown("Tier", "whose plan and targets each step has, but for its load and length")
]
AskedStart = Annotated[
    int,
    Field(ge=1, le=HIGHEST),
    shown("Start", "the first load: users, or queries a second; best one that is surely kept"),
]
AskedHighest = Annotated[
    int,
    Field(ge=1, le=HIGHEST),
    shown("Highest", "the load above which nothing is tried, users or queries/s"),
]
AskedSeconds = Annotated[
    float,
    Field(ge=5, le=3600),
    shown("Seconds a step", "for which each load is measured, without ramp and warm-up"),
]
AskedPrecision = Annotated[
    float,
    Field(ge=1, le=50),
    shown("Precision (%)", "how far the load that was kept may be below the one that was not"),
]
AskedMinutes = Annotated[
    float,
    Field(ge=1, le=1440),
    shown("Minutes in all", "after which the search ends with what it knows"),
]


def search_of(*, start: int, highest: int, precision: float, minutes: float) -> SearchPlan:
    """The search that was asked for; `precision` in percent.

    Raises:
        ConfigurationError: when it would begin above its highest load.
    """
    if start > highest:
        problem = f"is above the highest load, {highest}"
        raise ConfigurationError("parameter start", start, problem, "begin with a load that is surely kept")
    return SearchPlan(start=start, lowest=1, highest=highest, precision=precision / 100, budget=60 * minutes)
