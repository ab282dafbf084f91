"""Random numbers without state: the same place in a run draws the same, whichever process draws it."""

from __future__ import annotations

from functools import lru_cache

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def uniform(seed: int, stream: int, user: int, turn: int) -> float:
    """A number in [0, 1), from the place at which it is drawn.

    SplitMix64's output function over a counter (Steele, Lea, Flood 2014), once for each part of the place.

    Args:
        seed: Of the plan.
        stream: What it is drawn for, so that different purposes draw different numbers.
        user: Whose draw it is, by its index in the whole load test.
        turn: Which draw of this user.
    """
    # `_mixed` written out twice: this is drawn for every message, and a call costs as much as the arithmetic
    state = (_common(seed, stream) + user + _GOLDEN) & _MASK
    state = ((state ^ (state >> 30)) * _FIRST) & _MASK
    state = ((state ^ (state >> 27)) * _SECOND) & _MASK
    state = ((state ^ (state >> 31)) + turn + _GOLDEN) & _MASK
    state = ((state ^ (state >> 30)) * _FIRST) & _MASK
    state = ((state ^ (state >> 27)) * _SECOND) & _MASK
    return ((state ^ (state >> 31)) >> 11) * 2.0**-53


@lru_cache(maxsize=64)
def _common(seed: int, stream: int) -> int:
    """The state after the parts that every draw for one purpose shares."""
    return _mixed(_mixed(seed + _GOLDEN) + stream + _GOLDEN)


def _mixed(value: int) -> int:
    value &= _MASK
    value = ((value ^ (value >> 30)) * _FIRST) & _MASK
    value = ((value ^ (value >> 27)) * _SECOND) & _MASK
    return value ^ (value >> 31)
