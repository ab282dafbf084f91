"""Words and fields that the plans of both suites share."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

Tier = Literal["quick", "baseline", "full", "stress"]
Suite = Literal["websocket", "database"]
Model = Literal["open", "closed"]

TIER_NAMES: tuple[Tier, ...] = get_args(Tier)
NIGHTLY_TIERS: tuple[Tier, ...] = ("baseline", "full", "stress")

Users = Annotated[
    int, Field(gt=0, le=50_000, title="Users", description="concurrent users, one connection each")
]
Duration = Annotated[
    float, Field(gt=0, le=86_400, title="Duration (s)", description="seconds of the measure phase")
]
Queries = Annotated[
    int, Field(gt=0, le=100_000_000, title="Queries", description="operations of the measure phase")
]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
ArrivalModel = Annotated[
    Model,
    Field(
        title="Arrival model",
        description="open: a schedule fixed beforehand, which waits for no answer; "
        "closed: each sends, waits, thinks and sends again",
    ),
]
Think = Annotated[
    Seconds,
    Field(
        title="Think time (s)",
        description="seconds between an answer and what the same user or worker sends next, closed model",
    ),
]
Warmup = Annotated[Seconds, Field(title="Warm-up (s)", description="seconds of load before anything counts")]
Seed = Annotated[
    int,
    Field(
        ge=0,
        le=2**32 - 1,
        title="Seed",
        description="of everything that is drawn: the same seed draws the same",
    ),
]
ArrivalProcess = Annotated[
    Literal["constant", "poisson"],
    Field(
        title="Arrivals",
        description="constant: evenly spaced; poisson: at random instants of the same rate; open model",
    ),
]
Shards = Annotated[
    int,
    Field(gt=0, le=256, title="Shards", description="processes that generate the load, each a part of it"),
]
Blocks = Annotated[int, Field(ge=1, le=9)]
Reruns = Annotated[int, Field(ge=0, le=9)]
BLOCKS = Field(
    title="Blocks",
    description="runs of each suite, the suites in turns; the median of a suite's runs is the night's value",
)
RERUNS = Field(
    title="Repetitions",
    description="repetitions of a suite in which something looks worse; a regression is what they confirm",
)
TARGETS = Field(
    title="Targets",
    description="promises on top of the default ones, each METRIC OP LIMIT or LOWER <= METRIC <= UPPER (times in ms)",
)
