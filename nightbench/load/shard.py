"""Which part of a load test one process does, and when all of them begin."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from nightbench.load.phases import SECOND

_clock = time.perf_counter_ns


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count` equal ones: of users, workers or operations it has each `count`-th."""

    index: int = 0
    count: int = 1

    def part(self, total: int) -> range:
        """Its indices of `total` in all; those of all shards together are all, each once."""
        return range(self.index, total, self.count)


def agreed_start(start_at: int | None, *, lead: float = 0.0) -> tuple[datetime, int, tuple[str, ...]]:
    """The one wall-clock anchor, the same instant in monotonic ns, and what to say when it has passed already.

    Args:
        start_at: Wall-clock ns (UTC) on which all shards agreed; None for `lead` seconds from now.
        lead: Of who is alone.
    """
    wall, now = time.time_ns(), _clock()
    ahead = round(lead * SECOND) if start_at is None else start_at - wall
    if ahead >= 0:
        late: tuple[str, ...] = ()
    else:
        reason = (
            f"this shard was ready {-ahead / SECOND:.1f} s after the start that was agreed on: "
            "use fewer shards or a quieter machine"
        )
        late = (reason,)
    return datetime.fromtimestamp((wall + ahead) / SECOND, UTC), now + ahead, late
