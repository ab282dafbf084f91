"""What is asked of a search for the capacity, and the search that the answers make."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from nightbench.capacity.search import SearchPlan
from nightbench.capacity.step_plan import plan_at, promises_at
from nightbench.errors import ConfigurationError
from nightbench.frozen import Frozen
from nightbench.plan import Suite, Tier, TierPlan
from nightbench.plan.asked import shown
from nightbench.plan.fields import problem_of

MOST = 50_000
"""Users of one plan; and queries a second that one machine might ask."""
LOWEST = 1
START, HIGHEST = 50, 5_000
SECONDS, PRECISION, MINUTES = 30.0, 5.0, 60.0
TIER: Tier = "full"
"""What holds where nothing is said."""


def _bounded(title: str, description: str, least: float, most: float) -> Any:
    """The bounds and the help, for a form as for flags; see `shown`."""
    shown_as: dict[str, Any] = {"title": title, "description": description}
    return Field(ge=least, le=most, description=description, json_schema_extra=shown_as)


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
    _bounded(
        "Start", "the first load: users, or queries a second; best one that is surely kept", LOWEST, MOST
    ),
]
AskedHighest = Annotated[
    int,
    _bounded("Highest", "the load above which nothing is tried, users or queries/s", LOWEST, MOST),
]
AskedSeconds = Annotated[
    float,
    _bounded("Seconds a step", "seconds for which each load is measured, without ramp and warm-up", 1, 3600),
]
AskedPrecision = Annotated[
    float,
    _bounded(
        "Precision (%)", "percent by which the load that was kept may be below the one that was not", 1, 50
    ),
]
AskedMinutes = Annotated[
    float,
    _bounded("Minutes in all", "minutes after which the search ends with what it knows", 1, 1440),
]


class AskedSearch(Frozen):
    """The answers: where to search, how long and how exactly."""

    start: AskedStart = START
    highest: AskedHighest = HIGHEST
    seconds: AskedSeconds = SECONDS
    precision: AskedPrecision = PRECISION
    minutes: AskedMinutes = MINUTES

    def of(self, plan: TierPlan, suite: Suite, *, prefix: str) -> SearchPlan:
        """The search that was asked for.

        Args:
            plan: Whose `suite` each step has.
            suite: Which is loaded.
            prefix: What the names of the answers begin with where they were given: ``--`` of flags.

        Raises:
            ConfigurationError: when it would begin above its highest load or too low for its targets to be judged, or
                a load up to the highest makes no plan.
        """
        if self.start > self.highest:
            problem = f"is above the highest load, {self.highest}"
            way_out = "begin with a load that is surely kept"
            raise ConfigurationError(f"{prefix}start", self.start, problem, way_out)
        for name, load in (("start", LOWEST), ("highest", self.highest)):
            try:
                plan_at(plan, suite, load, seconds=self.seconds)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                field = ".".join([suite, *map(str, first["loc"])])
                problem = f"a step of {load} has no plan: {field}: {problem_of(first)}"
                raise ConfigurationError(f"{prefix}{name}", getattr(self, name), problem) from None
        return SearchPlan(
            start=self.start,
            lowest=self._lowest(plan, suite, prefix),
            highest=self.highest,
            precision=self.precision / 100,
            budget=60 * self.minutes,
        )

    def _lowest(self, plan: TierPlan, suite: Suite, prefix: str) -> int:
        """Below it no step could be judged."""
        from nightbench.capacity.samples import lowest_load  # noqa: PLC0415  # --help stays quick

        metrics = [target.metric for target in promises_at(plan, suite, self.start)]
        lowest = lowest_load(plan, suite, metrics, seconds=self.seconds)
        if self.start >= lowest:
            return lowest
        problem = f"has too few operations in {self.seconds:g} s to judge its targets by"
        way_out = f"begin with at least {lowest}, or measure each load for longer"
        raise ConfigurationError(f"{prefix}start", self.start, problem, way_out)
