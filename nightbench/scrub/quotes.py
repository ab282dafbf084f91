"""Where quoted texts of a line end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from nightbench.scrub.patterns import late

_MARK = late(r"(?<!\\)(?P<escapes>\\*)(?P<quote>[\"'`])(?!(?P=quote)\w)(?=[\s,;:.)\]}>&/\\\"'`]|$)")
_DEEPEST = 8


class Quotes:
    """Where quoted texts of a line end, also of quotes that JSON or `repr` escaped once more."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._ends: dict[str, list[int]] = {}

    def end(self, mark: str | None, start: int) -> int | None:
        """Index of the quote that closes what `mark` opened before `start`, None without one."""
        if mark is None or len(mark) > _DEEPEST:
            return None
        ends = self._ends.get(mark)
        if ends is None:
            ends = self._ends[mark] = list(self._closing(mark))
        found = bisect_left(ends, start)
        return ends[found] if found < len(ends) else None

    def _closing(self, mark: str) -> Iterator[int]:
        depth = len(mark) - 1
        for match in _MARK.finditer(self._line):
            escapes = len(match["escapes"])
            if match["quote"] == mark[-1] and escapes % (2 * (depth + 1)) == depth:
                yield match.end() - 1 - depth
