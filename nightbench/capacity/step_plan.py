"""The plan of one step: a tier's suite under another load, for so many seconds."""

from __future__ import annotations

from typing import Any

from nightbench.plan import Suite, TierPlan

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
