"""What a pool of connections did; here by itself, since who only reads it needs none of what a pool is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass
class PoolCounts:
    """What the pool did. Numbers of connections; the most that the workers had in use at once is exact.

    Attributes:
        opened: By the pool, in all.
        recycled: How many of these took the place of one that was too old or broken.
        invalidated: How many were thrown away because they were broken.
    """

    size: int
    max_overflow: int
    opened: int = 0
    recycled: int = 0
    invalidated: int = 0
    timeouts: int = 0
    checked_out_most: int = 0
    overflow_most: int = 0

    @classmethod
    def merged(cls, parts: Sequence[PoolCounts]) -> PoolCounts:
        """Those of several pools together; their most need not have been at one time."""
        return cls(**{each.name: sum(getattr(part, each.name) for part in parts) for each in fields(cls)})
