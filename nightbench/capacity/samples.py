"""How many operations a run needs so that its targets can be judged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from nightbench.capacity.step_plan import operations_of_one
from nightbench.load.histogram import samples_needed
from nightbench.plan import Suite, TierPlan

_PERCENTILE = re.compile(r"\.p(\d\d)$")
_FEWEST = samples_needed(0.95)
"""Operations without which nothing is said of a run."""
_SPARE = 10
"""One in so many more is planned: at the edge a schedule has one more or less."""


def is_percentile(metric: str) -> bool:
    """Whether it has samples of its own behind it: only then is their number that of its operations."""
    return _PERCENTILE.search(metric) is not None


def fewest_for(metric: str) -> int:
    """Operations that the value of `metric` needs behind it."""
    percentile = _PERCENTILE.search(metric)
    return max(_FEWEST, samples_needed(int(percentile[1]) / 100) if percentile else 0)


def lowest_load(plan: TierPlan, suite: Suite, metrics: Iterable[str], *, seconds: float) -> int:
    """The lowest load whose operations are enough for `metrics`; 1 of a closed model, which tells none beforehand.

    Args:
        plan: Whose `suite` each step has.
        suite: Which is loaded.
        metrics: Those of its targets.
        seconds: Of the measure phase of each step.
    """
    each = operations_of_one(plan, suite, seconds=seconds)
    if each is None:
        return 1
    needed = max(map(fewest_for, metrics))
    return max(1, math.ceil((needed + needed // _SPARE) / each))
