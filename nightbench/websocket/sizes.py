"""How large something was, many times over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
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
        self.largest = max(self.largest, size)

    def __add__(self, other: Sizes) -> Sizes:
        return Sizes(self.n + other.n, self.total + other.total, max(self.largest, other.largest))

    @property
    def mean(self) -> float | None:
        """None without any."""
        return self.total / self.n if self.n else None
