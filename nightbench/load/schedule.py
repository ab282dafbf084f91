"""When each operation is due. Pure functions of the plan; nothing here reads a clock or a reply."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from nightbench.load.dice import uniform
from nightbench.load.phases import SECOND

RampShape = Literal["linear", "steps", "spike"]

ARRIVAL_STREAM = 1
"""Of `dice.uniform`: draws the distances of Poisson arrivals."""
THINK_STREAM = 2
"""Of `dice.uniform`: draws think times."""

_CELL = 64
"""Operations that are drawn from one beginning: how far back the first one of a user is looked for."""
_DRAWS = 2**20
"""More draws than a cell can need: the 2**20th arrival of a process that has 64 on average."""


def ramp_offset(user: int, users: int, ramp_ns: int, shape: RampShape = "linear", steps: int = 5) -> int:
    """When `user` (0-based) of `users` connects, in ns after the ramp began.

    Args:
        user: Its index in the whole load test.
        users: Of the whole load test.
        ramp_ns: How long the ramp takes; the last user, or group of users, has its share of it to connect.
        shape: ``linear``: one by one, evenly; ``steps``: in equal groups, evenly; ``spike``: all at once.
        steps: How many groups.
    """
    match shape:
        case "linear":
            return ramp_ns * user // users
        case "steps":
            return ramp_ns * (user * steps // users) // steps
        case "spike":
            return 0


def think_ns(user: int, turn: int, think: float, spread: float, seed: int) -> int:
    """How long `user` thinks before its operation `turn`, in ns: within `spread` (a share) around `think` s.

    Drawn uniformly from ``think · [1 − spread, 1 + spread)``; the same place draws the same.
    """
    if spread == 0:
        return round(think * SECOND)
    return round(think * SECOND * (1 + spread * (2 * uniform(seed, THINK_STREAM, user, turn) - 1)))


def constant_rate(index: int, *, rate: float, origin: int) -> int:
    """When operation `index` (0-based) of a constant `rate` per second is due, in ns."""
    return origin + round(index * SECOND / rate)


def poisson(index: int, count: int, *, rate: float, origin: int, seed: int) -> int:
    """When operation `index` of `count` Poisson arrivals of `rate` per second is due, in ns; in order of the index.

    Given how many arrive in some time, the arrivals of a Poisson process are independent of each other and uniform
    in it (order statistics property). Here 64 arrive in each time that has 64 on average, so that none of those
    before has to be drawn, and all of them within ``count / rate`` s of `origin`; negative indices lie before it.
    """
    cell, place = divmod(index, _CELL)
    size = min(_CELL, count - cell * _CELL)
    return origin + round((cell * _CELL + _uniforms(seed, cell, size)[place] * size) * SECOND / rate)


@lru_cache(maxsize=256)
def _uniforms(seed: int, cell: int, size: int) -> tuple[float, ...]:
    return tuple(sorted(uniform(seed, ARRIVAL_STREAM, cell, draw) for draw in range(size)))


class _Stretch(NamedTuple):
    """A part of a profile in which the rate changes evenly.

    Attributes:
        begin: Monotonic ns.
        end: Monotonic ns; infinite for the last one.
        level: How many operations are due before it begins.
        rate: Operations per second at its beginning.
        slope: Operations per second, per second.
    """

    begin: int
    end: float
    level: float
    rate: float
    slope: float


class RateProfile:
    """A rate that changes over time, as the corners of a line, and its integral: how many are due until when.

    The rate is that of the first corner before it, and that of the last one after it; two corners at one
    instant are a step.

    Args:
        points: The corners in order of time, each (seconds since `measure`, operations per second).
        start: The instant from which operations are counted, monotonic ns.
        measure: The instant from which the corners' times are counted, monotonic ns, not before `start`.
    """

    def __init__(self, points: Sequence[tuple[float, float]], start: int, measure: int) -> None:
        corners = [(measure + round(at * SECOND), rate) for at, rate in points]
        self._stretches = tuple(_stretches([(start, corners[0][1]), *corners]))
        self._levels = [stretch.level for stretch in self._stretches]
        self._begins = [stretch.begin for stretch in self._stretches]
        last = self._stretches[-1]
        self._total = math.inf if last.rate else last.level

    def level(self, instant: int) -> float:
        """How many operations are due before this instant (ns): the integral of the rate since the start."""
        stretch = self._stretches[max(0, bisect_right(self._begins, instant) - 1)]
        seconds = max(0, instant - stretch.begin) / SECOND
        return stretch.level + seconds * (stretch.rate + stretch.slope * seconds / 2)

    def instant(self, level: float) -> int | None:
        """When the integral of the rate reaches `level`, in ns; None when it never goes beyond it.

        The inverse of the integral, a quadratic in each stretch. What would be due at the instant at which
        the rate becomes zero is due when it rises again.
        """
        if level >= self._total:
            return None
        begin, end, before, rate, slope = self._stretches[bisect_right(self._levels, level) - 1]
        remaining = level - before
        if slope == 0:
            return begin + round(remaining * SECOND / rate)
        if remaining <= 0:
            return begin
        # the solution of the quadratic that neither divides by a small slope nor loses digits to it
        root = math.sqrt(max(0.0, rate * rate + 2 * slope * remaining))
        return begin + round(min(2 * remaining * SECOND / (rate + root), end - begin))


def _stretches(corners: Sequence[tuple[int, float]]) -> Iterator[_Stretch]:
    bends = _bends(corners)
    level = Fraction(0)
    for (begin, rate), (end, rate_then) in pairwise(bends):
        if begin == end:
            continue  # a step
        seconds = Fraction(end - begin, SECOND)
        yield _Stretch(begin, end, _rounded(level), rate, (rate_then - rate) / float(seconds))
        level += (Fraction(rate) + Fraction(rate_then)) / 2 * seconds
    begin, rate = bends[-1]
    yield _Stretch(begin, math.inf, _rounded(level), rate, 0.0)


def _rounded(level: Fraction) -> float:
    """So that what 0.07/s makes in 600 s is 42, and not a little more, which would be a 43rd."""
    return round(float(level), 9)


def _bends(corners: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The first corner, and those amid no steady rate: that is one stretch, computed from integers alone."""
    rates = [rate for _, rate in corners]
    around = zip(corners[1:], rates[:-1], [*rates[2:], rates[-1]], strict=True)
    return [corners[0], *(corner for corner, before, after in around if not before == corner[1] == after)]


class Turn(NamedTuple):
    """One operation of one user.

    Attributes:
        number: Which one it is among the user's own: constant arrivals count them, Poisson arrivals the draws.
        level: Where it stands in the integral of the rate.
        due: Monotonic ns.
    """

    number: int
    level: float
    due: int


class Arrivals:
    """The open model of many users: who sends when, fixed beforehand, whoever is connected and answered.

    Constant arrivals: user u sends when the integral of the rate is ``u + k·users``, for whole k: at a
    constant rate at ``start + (u + k·users) / rate``. The users together send at exactly the rate, evenly.

    Poisson arrivals: by the time-rescaling theorem (Brown et al. 2002) the arrivals of a Poisson process of a
    rate that changes are, on the scale of the integral of the rate, those of a process of rate 1; here they
    are drawn on that scale and brought back through its inverse. Each user has a process of its own with its
    share of the rate: together they are one of the whole rate (superposition).

    Whichever users one shard has, their turns are the same as in the whole load test. A user's schedule begins
    with the first of its turns at which it is connected.

    Args:
        users: Of the whole load test.
        profile: Of all users together.
        poisson: Which of the two.
        seed: Of Poisson arrivals.
    """

    def __init__(self, users: int, profile: RateProfile, poisson: bool, seed: int) -> None:
        self._users = users
        self._profile = profile
        self._poisson = poisson
        self._seed = seed

    def first(self, user: int, connected: int) -> Turn | None:
        """The first turn of `user` at or after the instant `connected` (ns); None when nothing is due any more."""
        rounds = self._profile.level(connected) / self._users
        if self._poisson:
            # a Poisson process has no memory, so it may be drawn anew from any fixed place: each cell is,
            # and none of those before this one has to be
            turn = self._drawn(user, int(rounds / _CELL), 0, 0.0)
        else:
            turn = self._counted(user, max(0, math.ceil(rounds - user / self._users) - 1))
        while turn is not None and turn.due < connected:
            turn = self.next(user, turn)
        return turn

    def next(self, user: int, turn: Turn) -> Turn | None:
        """The turn of `user` after `turn`; None when nothing is due any more."""
        if self._poisson:
            cell, draw = divmod(turn.number, _DRAWS)
            return self._drawn(user, cell, draw + 1, turn.level / self._users - cell * _CELL)
        return self._counted(user, turn.number + 1)

    def _counted(self, user: int, k: int) -> Turn | None:
        # from the integers each time: an added interval would drift
        level = user + k * self._users
        due = self._profile.instant(level)
        return None if due is None else Turn(k, level, due)

    def _drawn(self, user: int, cell: int, draw: int, within: float) -> Turn | None:
        """The arrival after `within` operations of this cell, as its draw number `draw`."""
        within -= math.log1p(-uniform(self._seed, ARRIVAL_STREAM, user, cell * _DRAWS + draw))
        while within >= _CELL:
            cell, draw = cell + 1, 0
            within = -math.log1p(-uniform(self._seed, ARRIVAL_STREAM, user, cell * _DRAWS))
        level = (cell * _CELL + within) * self._users
        due = self._profile.instant(level)
        return None if due is None else Turn(cell * _DRAWS + draw, level, due)
