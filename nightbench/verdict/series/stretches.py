"""The lasting changes of a series of any length: a long one is searched a stretch at a time."""

from __future__ import annotations

from dataclasses import replace

from nightbench.verdict.series.energy import Floats
from nightbench.verdict.series.steps import Demands, Step, lasting_steps

WHOLE = 400
"""So many values are searched as a whole, which costs time and memory by their square."""

_NEAR = 5
"""Two stretches may place one change so many values apart."""


def steps_of(levels: Floats, rules: Demands) -> list[Step]:
    """As `lasting_steps`; of a series longer than `WHOLE` by stretches of as many, half of each shared with the next.

    A stretch decides on its middle half: a change there has at least a hundred values on either side, more than any test
    looks at, so that time and memory grow with the length and not with its square. Only the noise and the memory
    of a series are then those of the stretch.
    """
    whole = max(WHOLE, 8 * rules.segment)
    edge, near = whole // 4, max(_NEAR, rules.segment)
    found: list[Step] = []
    start, decided = 0, 0
    while start + whole < len(levels):
        until = start + whole - edge
        found += _new(_stretch(levels, start, whole, rules), found, decided, near, until)
        start, decided = start + whole - 2 * edge, until
    return found + _new(_stretch(levels, start, whole, rules), found, decided, near, len(levels))


def _stretch(levels: Floats, start: int, whole: int, rules: Demands) -> list[Step]:
    steps = lasting_steps(levels[start : start + whole], rules)
    return [replace(step, cut=start + step.cut) for step in steps]


def _new(steps: list[Step], found: list[Step], decided: int, near: int, until: int) -> list[Step]:
    """Those before `until` that the stretch before, which decided up to `decided`, has not `found`."""
    last = found[-1].cut if found else -near - 1
    first = max(decided - near, 0)
    return [
        step
        for step in steps
        if first <= step.cut < until and (step.cut >= decided + near or step.cut - last > near)
    ]
