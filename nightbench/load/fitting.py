"""The windows of a run, made to fit into its file whatever was measured and for however long."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nightbench.load.timeline import Times
from nightbench.load.windows import WholeRun, Window, WindowCounts

ROOM = 240_000
"""Bytes of a run's windows on disk. With its plan and its metrics they make at most 300 KB."""

MOST_WINDOWS = 3_600
"""How many one quantity has at most, since each costs time to encode: an hour of seconds."""

FEW_WINDOWS = 16
"""Fewer than these show no course of a run: rather than that, a digit is given up."""

_ROW = 8  # bytes of a row's other columns


@dataclass(frozen=True)
class _Held:
    """One quantity as it would be stored."""

    name: str
    series: WindowCounts | WholeRun
    windows: tuple[Window, ...]
    size: int
    is_rounded: bool = False

    @classmethod
    def of(cls, name: str, series: WindowCounts | WholeRun, *, is_rounded: bool = False) -> _Held:
        windows = series.windows(name)
        # the file's compression does the same to base64, which has 6 bits in 8
        packed = zlib.compress(b"".join(window.histogram for window in windows), level=1)
        return cls(name, series, windows, len(packed) + _ROW * len(windows), is_rounded)


def fitted(times: Sequence[Times], room: int = ROOM) -> tuple[Window, ...]:
    """All that was measured, encoded, in at most about `room` bytes of a compressed file.

    Where it is too much, the quantity that takes most gives way, again and again: as long as any has more than
    `FEW_WINDOWS`, the windows of the largest of those become twice as wide; then the largest is rounded
    up to two significant digits; and when all are, windows become wider until nothing is left to give. It depends
    on the samples alone.

    Args:
        times: Of the whole run, its shards merged.
        room: See `ROOM`.
    """
    held = [
        _Held.of(name, _at_most(MOST_WINDOWS, series))
        for each in times
        for name, series in each.series().items()
    ]
    for give in (_widen_to(FEW_WINDOWS), _round, _widen_to(1)):
        _give_way(held, room, give)
    return tuple(window for each in held for window in each.windows)


def _at_most(windows: int, series: WindowCounts | WholeRun) -> WindowCounts | WholeRun:
    while isinstance(series, WindowCounts) and series.amount > windows:
        series = series.widened()
    return series


def _give_way(held: list[_Held], room: int, give: Callable[[_Held], _Held | None]) -> None:
    """Let the largest that can give way do so, until all fit or none can."""
    able = set(range(len(held)))
    while able and sum(each.size for each in held) > room:
        largest = max(able, key=lambda place: held[place].size)
        smaller = give(held[largest])
        if smaller is None:
            able.discard(largest)
        else:
            held[largest] = smaller


def _widen_to(fewest: int) -> Callable[[_Held], _Held | None]:
    def widen(held: _Held) -> _Held | None:
        series = held.series
        if not isinstance(series, WindowCounts) or series.is_widest or len(held.windows) <= fewest:
            return None
        return _Held.of(held.name, series.widened(), is_rounded=held.is_rounded)

    return widen


def _round(held: _Held) -> _Held | None:
    return None if held.is_rounded else _Held.of(held.name, held.series.rounded(), is_rounded=True)
