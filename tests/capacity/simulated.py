"""Subjects with a known knee that need no load, and the search for it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from nightbench.capacity.search import MOST_STEPS, Capacity, Next, SearchPlan, Step, next_step


@dataclass
class Subject:
    """It keeps a load with a chance that falls from one to zero around its knee, as a noisy one does."""

    knee: float
    noise: float
    seed: int
    invalid: float = 0.0
    reach: float = math.inf

    def __post_init__(self):
        self._dice = random.Random(self.seed)

    def __call__(self, load: int) -> str:
        if load >= self.reach or self._dice.random() < self.invalid:
            return "invalid"
        felt = load * math.exp(self._dice.gauss(0, self.noise))
        return "met" if felt <= self.knee else "missed"


def searched(plan: SearchPlan, subject, seconds: float = 40.0) -> tuple[Capacity, list[Step]]:
    steps: list[Step] = []
    while isinstance(due := next_step(plan, steps), Next):
        assert len(steps) <= MOST_STEPS, "it does not end"
        steps.append(Step(due.load, subject(due.load), seconds))
    return due, steps
