"""How large something was, many times over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Sizes:
    """Whole numbers, as their sum and the largest.

    Attributes:
        n: How many.
    """

    n: int = 0
    total: int = 0
    largest: int = 0

    def add(self, size: int) -> None:
        """Count one."""
        self.n += 1
        self.total += size
        if size > self.largest:  # noqa: PLR1730  # for every message, where max() costs thrice as much
            self.largest = size

    def __add__(self, other: Sizes) -> Sizes:
        return Sizes(self.n + other.n, self.total + other.total, max(self.largest, other.largest))

    @property
    def mean(self) -> float | None:
        """None without any."""
        return self.total / self.n if self.n else None
