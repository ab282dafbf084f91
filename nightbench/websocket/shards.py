"""One WebSocket load test in several processes: the users are dealt out to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from nightbench.load.child import PATIENCE_SECONDS
from nightbench.load.progress import OnProgress
from nightbench.load.shard import Shard
from nightbench.load.shards import lead_seconds, run_parts, start_of
from nightbench.websocket.generator import run_generator
from nightbench.websocket.result import WebSocketResult, WebSocketSpec, merged

GRACE_SECONDS = 15.0
"""How long an interrupted generator may take to drain and disconnect."""


async def run_shards(spec: WebSocketSpec, *, on_progress: OnProgress, stop: asyncio.Event) -> WebSocketResult:
    """Run the load test of `spec` in as many processes as its plan asks for, and return what they saw together.

    Raises:
        ConfigurationError: as raised by a generator.
        MeasurementError: when one of them failed; the others are ended then.
    """
    count = spec.plan.shards
    # each reads the data
    lead = lead_seconds(count) + 10e-6 * len(spec.provisions.rows) * count
    parts = await run_parts(
        run_generator,
        split(spec, count, start_at=start_of(count, lead=lead)),
        on_progress=on_progress,
        stop=stop,
        grace=GRACE_SECONDS,
        patience=PATIENCE_SECONDS + lead,  # they wait for the start in silence
    )
    return merged(parts)


def split(spec: WebSocketSpec, count: int, *, start_at: int | None) -> list[WebSocketSpec]:
    """The shards of a load test: the users are dealt out, and with them the rate, the ids and what is drawn.

    Args:
        spec: Of the whole.
        count: How many.
        start_at: When all of them begin, wall-clock ns; None for at once.
    """
    return [replace(spec, shard=Shard(index, count), start_at=start_at) for index in range(count)]
