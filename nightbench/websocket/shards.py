"""One WebSocket load test in several processes: the users are dealt out to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from nightbench.load.fleet import Crew
from nightbench.load.progress import OnProgress
from nightbench.load.shard import Shard
from nightbench.load.shards import run_parts
from nightbench.websocket.generator import run_generator
from nightbench.websocket.result import WebSocketResult, WebSocketSpec, merged

GRACE_SECONDS = 15.0
"""How long an interrupted generator may take to drain and disconnect."""


async def run_shards(
    spec: WebSocketSpec, *, crew: Crew, on_progress: OnProgress, stop: asyncio.Event
) -> WebSocketResult:
    """Have `crew` run the load test of `spec` and return what its shards saw together.

    Raises:
        ConfigurationError: as raised by a generator.
        MeasurementError: when none of them has a result.
    """
    parts = await run_parts(
        run_generator,
        split(spec, spec.plan.shards),
        crew=crew,
        on_progress=on_progress,
        stop=stop,
        grace=GRACE_SECONDS,
    )
    return merged(parts)


def lead_of(spec: WebSocketSpec) -> float:
    """Seconds that its shards need before the load: each reads the data."""
    return 10e-6 * len(spec.provisions.rows) * spec.plan.shards


def split(spec: WebSocketSpec, count: int, *, start_at: int | None = None) -> list[WebSocketSpec]:
    """The shards of a load test: the users are dealt out, and with them the rate, the ids and what is drawn.

    Args:
        spec: Of the whole.
        count: How many.
        start_at: When all of them begin, wall-clock ns; None for at once, or as the crew says.
    """
    return [replace(spec, shard=Shard(index, count), start_at=start_at) for index in range(count)]
