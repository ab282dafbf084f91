"""When each operation is due. Pure functions of the plan; nothing here reads a clock or a reply."""

from __future__ import annotations

import math

from nightbench.load.phases import SECOND


def ramp_offset(user: int, users: int, ramp_ns: int) -> int:
    """When `user` (0-based) of `users` connects, in ns after the ramp began: evenly, a linear ramp."""
    return ramp_ns * user // users


class StaggeredSchedule:
    """The open model of many users: each sends at a constant interval, all of them evenly interleaved.

    User u sends at ``origin + (u + k·users) / rate`` for whole k, so that the users together send exactly
    `rate` operations a second at constant distance. A user's schedule begins with the first of its instants
    at which it is connected, and is fixed from then on.
    """

    def __init__(self, *, users: int, rate: float, origin: int) -> None:
        self._users = users
        self._rate = rate
        self._origin = origin

    def _instant(self, user: int, k: int) -> int:
        # from the integers each time: an added interval would drift
        return self._origin + round((user + k * self._users) * SECOND / self._rate)

    def first(self, user: int, connected: int) -> tuple[int, int]:
        """The first turn of `user` at or after the instant `connected`: (k, instant)."""
        elapsed = (connected - self._origin) / SECOND * self._rate
        k = max(0, math.ceil((elapsed - user) / self._users) - 1)
        while self._instant(user, k) < connected:
            k += 1
        return k, self._instant(user, k)

    def next(self, user: int, k: int) -> tuple[int, int]:
        """The turn after turn `k`: (k + 1, instant)."""
        return k + 1, self._instant(user, k + 1)


def constant_rate(index: int, *, rate: float, origin: int) -> int:
    """When operation `index` (0-based) of a constant `rate` per second is due, in ns."""
    return origin + round(index * SECOND / rate)
