"""The tiers: how hard each pushes its two suites, how often, and what ``--quick`` leaves of that."""

from __future__ import annotations

from nightbench.plan import NIGHTLY_TIERS, TIER_NAMES, DatabasePlan, Tier, TierPlan, WebSocketPlan

QUICK_SECONDS = 8.0
"""How long ``--quick`` measures a suite; ramp and warm-up add at most 3 s, a drain what the subject takes."""


NIGHTLY = "nightly"
"""The night that has several tiers."""
BLOCKS = 4
"""Of a night: the median of four has 0.30 of the variance of one, and one that was disturbed hardly counts."""
RERUNS = 4
"""Of a night: as many as its blocks, so that they are as sure."""


def _tier(tier: Tier, *, users: int, duration: float, queries: int, workers: int) -> TierPlan:
    nightly = tier in NIGHTLY_TIERS
    return TierPlan(
        tier=tier,
        websocket=WebSocketPlan(users=users, duration=duration),
        database=DatabasePlan(queries=queries, workers=workers),
        blocks=BLOCKS if nightly else 1,
        reruns=RERUNS if nightly else 0,
    )


TIERS: dict[Tier, TierPlan] = {
    "quick": _tier("quick", users=10, duration=60, queries=1_000, workers=5),
    "baseline": _tier("baseline", users=50, duration=120, queries=5_000, workers=10),
    "full": _tier("full", users=100, duration=300, queries=10_000, workers=20),
    "stress": _tier("stress", users=200, duration=600, queries=50_000, workers=50),
}


def tiers_of(night: str) -> tuple[Tier, ...]:
    """The tiers of a night, in order: those of ``nightly``, else the one of its name."""
    return NIGHTLY_TIERS if night == NIGHTLY else tuple(tier for tier in TIER_NAMES if tier == night)


def shortened(plan: TierPlan) -> TierPlan:
    """`plan` with its concurrency and its pace kept and its length cut to seconds and one block (``--quick``)."""
    return plan.model_copy(
        update={
            "websocket": _short_websocket(plan.websocket),
            "database": _short_database(plan.database),
            "blocks": 1,
            "reruns": 0,
        }
    )


def _short_websocket(plan: WebSocketPlan) -> WebSocketPlan:
    duration = min(plan.duration, QUICK_SECONDS)
    share = duration / plan.duration
    corners = tuple(corner.model_copy(update={"at": corner.at * share}) for corner in plan.rate_profile)
    return plan.model_copy(
        update={
            "duration": duration,
            "rate_profile": corners,
            "ramp": min(plan.ramp_seconds, 2.0),
            "warmup": min(plan.warmup, 1.0),
        }
    )


def _short_database(plan: DatabasePlan) -> DatabasePlan:
    rate = plan.queries_per_second
    if plan.model == "closed" and plan.think:
        rate = min(rate, plan.workers / plan.think)  # what the workers come to, however quick the answers are
    return plan.model_copy(
        update={
            "queries": min(plan.queries, max(1, round(rate * QUICK_SECONDS))),
            "warmup": min(plan.warmup, 1.0),
        }
    )
