"""Which operation is next, and when it is due. Pure but for two counters that threads share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from nightbench.load.phases import Phases
from nightbench.load.schedule import constant_rate, poisson
from nightbench.load.shard import Shard
from nightbench.plan import DatabasePlan


@dataclass(frozen=True, slots=True)
class Turn:
    """One operation of the run.

    Attributes:
        index: Decides its statement and its draw; below 0 in the warm-up of the open model.
        due: When it is scheduled, monotonic ns.
        counted: Its place among the counted operations, None in the warm-up.
    """

    index: int
    due: int
    counted: int | None


class Turns:
    """Hands out a shard's operations of a run, each once, to whichever worker asks next."""

    def __init__(self, plan: DatabasePlan, phases: Phases, shard: Shard) -> None:
        self._plan = plan
        self._phases = phases
        self._warmup = round(plan.queries_per_second * plan.warmup) if plan.model == "open" else 0
        index, count = shard.index, shard.count
        # next() of a count is atomic
        self._open = itertools.count((index + self._warmup) % count - self._warmup, count)
        self._closed_warmup = itertools.count(index, count)
        self._closed = itertools.count(index, count)

    def take(self, now: int) -> Turn | None:
        """The next operation; None when all have been handed out.

        In the open model it is due at its place in the schedule, before or after `now`; in the closed model
        it is due when a worker is ready for it, which is `now`.
        """
        if self._plan.model == "open":
            place = next(self._open)
            return None if place >= self._plan.queries else self._turn(place, self._due(place))
        if now < self._phases.measure:
            return Turn(next(self._closed_warmup), now, None)
        place = next(self._closed)
        return None if place >= self._plan.queries else self._turn(place, now)

    def _due(self, place: int) -> int:
        plan, origin = self._plan, self._phases.measure
        if plan.arrivals == "constant":
            return constant_rate(place, rate=plan.queries_per_second, origin=origin)
        return poisson(place, plan.queries, rate=plan.queries_per_second, origin=origin, seed=plan.seed)

    def _turn(self, place: int, due: int) -> Turn:
        return Turn(place, due, place if place >= 0 else None)


def phases_of(plan: DatabasePlan, start: int) -> Phases:
    """The phases of a run that begins at `start` (ns).

    The closed model measures until its operations are done, so its drain is laid out of reach and cut later.
    """
    drain = plan.pool_timeout + plan.statement_timeout
    measure = plan.queries / plan.queries_per_second if plan.model == "open" else plan.queries * drain
    return Phases.plan(start, ramp=0, warmup=plan.warmup, measure=measure, drain=drain)
