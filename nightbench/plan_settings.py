"""The ``[plan.TIER.SUITE]`` tables of the settings: what to change in each tier."""

from __future__ import annotations

from nightbench.frozen import Frozen
from nightbench.plan import Tier, TierChanges


class PlanSettings(Frozen):
    """The ``[plan.TIER.SUITE]`` tables of the settings file: what to change in each tier."""

    quick: TierChanges = TierChanges()
    baseline: TierChanges = TierChanges()
    full: TierChanges = TierChanges()
    stress: TierChanges = TierChanges()

    def of(self, tier: Tier) -> TierChanges:
        """The changes of one tier."""
        changes: TierChanges = getattr(self, tier)
        return changes
