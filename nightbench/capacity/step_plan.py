"""The plan of one step: a tier's suite under another load, for so many seconds."""

from __future__ import annotations

from typing import Any

from nightbench.plan import Suite, TierPlan
from nightbench.target import Target

WEBSOCKET_UNIT = "users"
DATABASE_UNIT = "queries/s"


def unit_of(suite: Suite) -> str:
    """What a load of `suite` is counted in."""
    return WEBSOCKET_UNIT if suite == "websocket" else DATABASE_UNIT


def plan_at(plan: TierPlan, suite: Suite, load: int, *, seconds: float) -> TierPlan:
    """`plan` with `load` on `suite`: users who each do what they did before, or queries a second, open model.

    What a plan has that changes over its run, such as a rate profile, is left out: a step holds one load.

    Args:
        plan: Of a tier; its targets are those of each step.
        suite: Which is loaded.
        load: In `unit_of` the suite.
        seconds: Of the measure phase.

    Raises:
        pydantic.ValidationError: when there is no such plan.
    """
    step: dict[str, Any] = (
        {"duration": seconds, **_users(plan, load)} if suite == "websocket" else _rate(load, seconds)
    )
    suite_plan = plan.websocket if suite == "websocket" else plan.database
    held = type(suite_plan).model_validate({**dict(suite_plan), **step})
    return plan.model_copy(update={suite: held, "blocks": 1, "reruns": 0})


def promises_at(plan: TierPlan, suite: Suite, load: int) -> tuple[Target, ...]:
    """The targets of a step; some follow its load, such as that all users connect."""
    at = plan_at(plan, suite, load, seconds=1)
    return at.websocket.promises if suite == "websocket" else at.database.promises


def operations_of_one(plan: TierPlan, suite: Suite, *, seconds: float) -> float | None:
    """How many operations of the suite's own a load of one has in so many seconds; None of a closed model."""
    if suite == "database":
        return seconds
    at = plan_at(plan, suite, 1, seconds=seconds).websocket
    return at.messages_per_second * seconds if at.model == "open" else None


def _users(plan: TierPlan, load: int) -> dict[str, Any]:
    websocket = plan.websocket
    share = load / websocket.users
    return {
        "users": load,
        "rate": None if websocket.rate is None else websocket.rate * share,
        "rate_profile": (),
        "ramp": None if websocket.ramp is None else websocket.ramp * share,
        "shards": min(websocket.shards, load),
    }


def _rate(load: int, seconds: float) -> dict[str, Any]:
    return {"model": "open", "rate": float(load), "queries": max(1, round(load * seconds))}
