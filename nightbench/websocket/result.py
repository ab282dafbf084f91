"""What a load test, or a shard of one, is told and what it saw: plain data, picklable."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from nightbench.load.health import Health
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import SECOND, Phases
from nightbench.load.shard import Shard
from nightbench.load.shards import Parts, merged_account
from nightbench.load.timeline import Times
from nightbench.plan import WebSocketPlan
from nightbench.websocket.presence import Presence
from nightbench.websocket.provisions import Provisions
from nightbench.websocket.sizes import Sizes


@dataclass(frozen=True)
class WebSocketSpec:
    """What one generator process is told.

    Attributes:
        plan: Of the whole load test; a shard does its part of it.
        start_at: Wall-clock ns (UTC) at which the ramp begins in every shard; None for at once.
    """

    plan: WebSocketPlan
    url: str = field(repr=False)  # may carry a token
    run_id: str
    provisions: Provisions = field(default_factory=Provisions)
    shard: Shard = field(default_factory=Shard)
    start_at: int | None = None


@dataclass(frozen=True)
class WebSocketResult:
    """What one generator process saw, or several together. Instants in ns since the start of the ramp.

    Attributes:
        started_at: Wall clock (UTC) at the start of the ramp.
        last_ok: When the last counted message that ended well did; 0 when none has.
        last_connected: When the last user was connected for the first time; 0 when none was.
        presence: Who was connected when.
        lost: Connections that ended before the run did, by class.
        chunks: Parts before the last one of each counted reply that was right.
        received: Bytes of each of those replies.
        stray: Messages that belonged to no awaited reply, by kind.
        starved: Why the generator's times cannot be trusted, one sentence each.
        given_up: Why the run ended before its plan did, or None.
        predicate_failure: What the user's predicate did first that was no answer, or None.
    """

    phases: Phases
    counted: dict[str, OperationCounts]
    uncounted: dict[str, OperationCounts]
    times: tuple[Times, ...]
    health: Health
    started_at: datetime
    last_ok: int
    last_connected: int
    presence: Presence
    lost: Counter[str]
    chunks: Sizes
    received: Sizes
    stray: Counter[str]
    starved: tuple[str, ...]
    given_up: str | None
    predicate_failure: str | None = None

    @property
    def connecting_seconds(self) -> float:
        """From the start of the ramp to the last first connection of a user."""
        return self.last_connected / SECOND


def merged(parts: Parts[WebSocketResult]) -> WebSocketResult:
    """What the shards of one load test saw together: the same as one generator that had done it all; see `merged_account`."""
    shards = parts.results
    if len(shards) == 1 and not parts.lost:
        return shards[0]
    return replace(
        shards[0],
        **merged_account(parts),
        last_connected=max(each.last_connected for each in shards),
        presence=Presence.merged(each.presence for each in shards),
        lost=sum((each.lost for each in shards), Counter()),
        chunks=sum((each.chunks for each in shards), Sizes()),
        received=sum((each.received for each in shards), Sizes()),
        stray=sum((each.stray for each in shards), Counter()),
        predicate_failure=next(filter(None, (each.predicate_failure for each in shards)), None),
    )
