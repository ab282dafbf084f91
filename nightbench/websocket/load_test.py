"""One WebSocket load test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from urllib.parse import urlsplit

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.host import fingerprint
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, measured, new_id
from nightbench.plan import WebSocketPlan
from nightbench.scrub import stored_address
from nightbench.subject import Subject
from nightbench.websocket.metrics import websocket_metrics, websocket_validity
from nightbench.websocket.provisions import load_provisions
from nightbench.websocket.records import GREETING, RECONNECTION
from nightbench.websocket.result import WebSocketResult, WebSocketSpec
from nightbench.websocket.shards import run_shards


async def run(
    plan: WebSocketPlan, subject: Subject, label: RunLabel, *, on_progress: OnProgress, stop: asyncio.Event
) -> Measurement:
    """Load `subject` as `plan` says; when `stop` is set, end early with an incomplete measurement.

    Raises:
        ConfigurationError: when nothing listens at the subject's address, or what the plan names is not there.
        MeasurementError: when the generator gave no result, or the embedded backend has ended.
    """
    url = subject.websocket_url
    if url is None:
        raise ConfigurationError("NIGHTBENCH_WEBSOCKET_URL", "", "the WebSocket suite needs an address")
    provisions = await asyncio.to_thread(load_provisions, plan, subject.token)
    try:
        await check_reachable(url)
    except ConfigurationError as error:
        if subject.kind("websocket") == "embedded":
            msg = f"the embedded reference backend has ended: {error.problem}"
            raise MeasurementError(msg) from None
        raise
    run_id = new_id(f"{label.tier}-websocket")
    spec = WebSocketSpec(plan, url, run_id, provisions)
    result = await run_shards(spec, on_progress=on_progress, stop=stop)
    return measured(
        _without_idle(result),
        run_id=run_id,
        suite="websocket",
        label=label,
        plan=plan,
        subject={"kind": subject.kind("websocket"), "address": stored_address(url)},
        host=fingerprint(),
        validity=websocket_validity(result),
        metrics=websocket_metrics(result),
        details={"stray": dict(result.stray), "lost": dict(result.lost), "shards": plan.shards},
    )


def _without_idle(result: WebSocketResult) -> WebSocketResult:
    """The result without the accounts of reconnections and greetings where there were none."""
    accounts = [
        {
            name: counts
            for name, counts in account.items()
            if counts.scheduled or name not in (RECONNECTION, GREETING)
        }
        for account in (result.counted, result.uncounted)
    ]
    return replace(result, counted=accounts[0], uncounted=accounts[1])


async def check_reachable(url: str) -> None:
    """Raise ConfigurationError unless something accepts connections at the host and port of `url`."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(parts.hostname, port)
            writer.close()
            await writer.wait_closed()
    except OSError as error:
        raise ConfigurationError(
            "--url / NIGHTBENCH_WEBSOCKET_URL",
            stored_address(url),
            f"nothing answers at {parts.hostname}:{port}: {_why_unreachable(error)}",
            "start the backend, mend the address, or leave it out to use the embedded one",
        ) from None


def _why_unreachable(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, TimeoutError):
        return "no answer within 5 s"
    return os.strerror(error.errno).lower() if error.errno else str(error).lower()
