"""Between which loads the knee lies with 95 % certainty, by all votes of a search.

A subject keeps a load with a chance that falls from one to zero around its knee, over a breadth that nobody knows
beforehand: a probit curve over the logarithm of the load. The votes say how likely each knee and each breadth is; as
much of the likely knees as makes 95 % is the interval. Which loads are tried depends on what came before, and that
makes no difference to it. A step in a hundred may say anything, so that one wrong vote far off does not widen it.

The loads between which the search ends are nearer to each other than that, and say less: where a step's result swings
by 5 % of the load, the knee is between them in about half of all searches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from nightbench.capacity.search import Capacity, Step, in_reach

CERTAINTY = 0.95
_LAPSE = 0.01
"""Share of steps that may say anything."""
_BREADTHS = np.geomspace(0.002, 0.15, 20)
"""Standard deviations of the logarithm of the load at which a step fails, each as likely as the others beforehand."""
_STEP = 0.0025
"""Of the logarithm, from one knee that is looked at to the next."""
_BEYOND = math.log(2)
"""How far beyond the loads that were tried a knee may lie."""


@lru_cache(maxsize=4)  # a terminal, a chart and a document of one search ask for the same
def interval_of(steps: tuple[Step, ...], answer: Capacity) -> tuple[int | None, int | None]:
    """The lowest and the highest load between which the knee lies with `CERTAINTY`, rounded outwards.

    Args:
        steps: Of a search.
        answer: Of it, which is within.

    Returns:
        The answer's own two, one of them None, when no load was kept, or each: the knee lies beyond what was tried.
    """
    if answer.load is None or answer.below is None:
        return answer.load, answer.below
    low, high = _likely([step for step in in_reach(steps) if step.result != "invalid"])
    return max(min(answer.load, math.floor(low)), 1), max(answer.below, math.ceil(high))


def _likely(votes: Sequence[Step]) -> tuple[float, float]:
    """The two ends, by votes of both kinds."""
    loads = [math.log(vote.load) for vote in votes]
    knees = np.arange(min(loads) - _BEYOND, max(loads) + _BEYOND, _STEP)
    likelihood = np.zeros((len(_BREADTHS), len(knees)))
    for vote, load in zip(votes, loads, strict=True):
        keeps = _LAPSE / 2 + (1 - _LAPSE) * ndtr((knees - load) / _BREADTHS[:, None])
        likelihood += np.log(keeps if vote.result == "met" else 1 - keeps)
    chance = np.exp(likelihood - likelihood.max()).sum(axis=0).cumsum()
    ends = np.searchsorted(chance / chance[-1], ((1 - CERTAINTY) / 2, (1 + CERTAINTY) / 2))
    low, high = (math.exp(knees[min(end, len(knees) - 1)]) for end in ends)
    return low, high
