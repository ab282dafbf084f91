"""The search for the highest load that keeps the targets: a function of the steps so far, without a clock or a dice.

It steps up from a load that is surely kept, doubling; bisects between the highest load that was kept and the
lowest that was not; and confirms both, as one step may be wrong. Each step is a vote on its load: a load is
confirmed when one side leads by two. Where a higher load was kept than one that was missed, the less sure of the
two is tried again. An invalid step is no vote; a load at which three in a row are invalid is out of reach: the
search goes on below it, and what was seen from there up counts no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Result = Literal["met", "missed", "invalid"]
Reason = Literal["step up", "step down", "bisect", "confirm", "again"]

LEAD = 2
"""Votes by which one side leads at a load that is confirmed."""
PATIENCE = 3
"""Invalid steps in a row after which a load is out of reach."""
MOST_STEPS = 200
"""No search needs as many; one that does is of a subject that answers by chance."""


@dataclass(frozen=True)
class SearchPlan:
    """Where to search, and how long.

    Attributes:
        start: The first load tried: users, or operations a second.
        lowest, highest: Bounds of the load, both included.
        precision: By which share of itself the answer may be below the load that was not kept.
        budget: Seconds that all steps may take together.
    """

    start: int
    lowest: int
    highest: int
    precision: float
    budget: float

    def __post_init__(self) -> None:
        if not 0 < self.lowest <= self.start <= self.highest:
            msg = f"0 < lowest <= start <= highest does not hold: {self.lowest}, {self.start}, {self.highest}"
            raise ValueError(msg)
        if not 0 < self.precision < 1:
            msg = f"the precision has to be between 0 and 1: {self.precision}"
            raise ValueError(msg)


@dataclass(frozen=True)
class Step:
    """One load that was tried.

    Attributes:
        load: Users, or operations a second.
        result: Whether the targets were met; ``invalid`` when the measurement cannot be trusted.
        seconds: How long it took.
        reasons: Which targets were missed, or why it is invalid, one sentence each.
        broke: The metrics whose targets were missed.
        p95_ms: P95 response time; None when missing.
        success: Success rate in percent; None when missing.
        throughput: Operations a second that ended well; None when missing.
        run_id: Of its run in the dataset; None when it gave no measurement.
        why: Why it was tried.
    """

    load: int
    result: Result
    seconds: float
    reasons: tuple[str, ...] = ()
    broke: tuple[str, ...] = ()
    p95_ms: float | None = None
    success: float | None = None
    throughput: float | None = None
    run_id: str | None = None
    why: Reason | None = None


@dataclass(frozen=True)
class Next:
    """What to try next, and why."""

    load: int
    why: Reason


@dataclass(frozen=True)
class Capacity:
    """The answer.

    Attributes:
        load: The highest load that was kept; None when none was.
        below: The lowest that was not, so that the knee lies between the two; None when each was kept.
        confirmed: Whether there are votes enough for each of the two; one of them is enough for a search that came
            to its end.
        ended: Why the search ended, one sentence.
    """

    load: int | None
    below: int | None
    confirmed: bool
    ended: str


@dataclass(frozen=True)
class _Votes:
    met: int = 0
    missed: int = 0

    @property
    def lead(self) -> int:
        """Above zero for those that were kept."""
        return self.met - self.missed

    @property
    def confirmed(self) -> bool:
        return abs(self.lead) >= LEAD


def next_step(plan: SearchPlan, steps: Sequence[Step]) -> Next | Capacity:
    """What to do after `steps`: a further load, or the answer."""
    due = _due(plan, steps)
    if isinstance(due, Capacity):
        return due
    if len(steps) >= MOST_STEPS:
        return so_far(steps, f"after {MOST_STEPS} steps nothing was certain")
    spent = sum(step.seconds for step in steps)
    longest = max((step.seconds for step in steps), default=0.0)
    if steps and spent + longest > plan.budget:
        return so_far(steps, "the time for it was used up")
    return due


def so_far(steps: Sequence[Step], ended: str) -> Capacity:
    """The answer of a search that ends before it is done, for the reason `ended`."""
    votes = _votes(in_reach(steps))
    bracket = _bracket(votes)
    sure = all(load is not None and votes[load].confirmed for load in bracket)
    return Capacity(*bracket, confirmed=sure, ended=ended)


def _due(plan: SearchPlan, steps: Sequence[Step]) -> Next | Capacity:
    """The same without a budget."""
    if _again(steps):
        return Next(steps[-1].load, "again")
    votes = _votes(in_reach(steps))
    if (doubtful := _doubtful(votes)) is not None:
        return Next(doubtful, "confirm")
    low, high = _bracket(votes)
    reach = _reach(steps)
    above = min((load for load in (high, reach) if load is not None), default=None)
    if (step := _step(plan, low, above)) is not None:
        return step
    for load in (low, high):
        if load is not None and not votes[load].confirmed:
            return Next(load, "confirm")
    return Capacity(
        low, high, confirmed=low is not None or high is not None, ended=_end(plan, low, high, reach)
    )


def _step(plan: SearchPlan, low: int | None, above: int | None) -> Next | None:
    """The next load that was not tried: between what was kept and what was not; None when they are close enough."""
    if low is None:
        load = plan.start if above is None else max(plan.lowest, above // 2)
        if above is None:
            return Next(load, "step up")
        return Next(load, "step down") if load < above else None
    if above is None:
        load = min(2 * low, plan.highest)
        return Next(load, "step up") if load > low else None
    middle = round(math.sqrt(low * above))
    narrow = above - low <= max(1.0, plan.precision * above)
    return None if narrow or not low < middle < above else Next(middle, "bisect")


def _end(plan: SearchPlan, low: int | None, high: int | None, reach: int | None) -> str:
    if low is not None and high is not None:
        return "the highest load that was kept and the lowest that was not are as close as asked for"
    if reach is not None:
        return f"at {reach} no measurement could be trusted"
    if high is None:
        return f"{plan.highest} was kept, and no more was to be tried"
    return f"{plan.lowest} was not kept, and no less was to be tried"


def _votes(steps: Sequence[Step]) -> dict[int, _Votes]:
    votes: dict[int, _Votes] = {}
    for step in steps:
        so_far = votes.get(step.load, _Votes())
        if step.result == "met":
            votes[step.load] = _Votes(so_far.met + 1, so_far.missed)
        elif step.result == "missed":
            votes[step.load] = _Votes(so_far.met, so_far.missed + 1)
    return votes


def _doubtful(votes: dict[int, _Votes]) -> int | None:
    """A load to try again: one with as many votes either way, or one that contradicts a surer one."""
    for load, vote in votes.items():
        if vote.lead == 0:
            return load
    missed = [load for load, vote in votes.items() if vote.lead < 0]
    for low in sorted(missed):
        for high in (load for load, vote in votes.items() if vote.lead > 0 and load > low):
            unsure = [load for load in (low, high) if not votes[load].confirmed]
            if unsure:
                return min(unsure, key=lambda load: (abs(votes[load].lead), load))
    return None


def _bracket(votes: dict[int, _Votes]) -> tuple[int | None, int | None]:
    """The highest load that was kept below the lowest that was not, and that one.

    By the second, since a subject that keeps a load above one that it does not keep cannot be relied on there.
    """
    high = min((load for load, vote in votes.items() if vote.lead < 0), default=None)
    kept = (load for load, vote in votes.items() if vote.lead > 0 and (high is None or load < high))
    return max(kept, default=None), high


def _again(steps: Sequence[Step]) -> bool:
    """Whether the last step was invalid and may be tried again."""
    return bool(steps) and steps[-1].result == "invalid" and _invalid_in_a_row(steps) < PATIENCE


def _invalid_in_a_row(steps: Sequence[Step]) -> int:
    load, count = steps[-1].load, 0
    for step in reversed(steps):
        if step.load != load or step.result != "invalid":
            break
        count += 1
    return count


def in_reach(steps: Sequence[Step]) -> Sequence[Step]:
    """Those at loads that the generator can be trusted at."""
    reach = _reach(steps)
    return steps if reach is None else [step for step in steps if step.load < reach]


def _reach(steps: Sequence[Step]) -> int | None:
    """The lowest load that was out of reach."""
    return min(
        (
            step.load
            for number, step in enumerate(steps, start=1)
            if step.result == "invalid" and _invalid_in_a_row(steps[:number]) >= PATIENCE
        ),
        default=None,
    )
