"""One WebSocket load test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
import os
import socket
from urllib.parse import urlsplit

from nightbench.errors import ConfigurationError
from nightbench.host import fingerprint
from nightbench.load.child import run_in_child
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, new_id
from nightbench.plan import WebSocketPlan
from nightbench.scrub import scrub
from nightbench.subject import Subject
from nightbench.websocket.generator import WebSocketResult, WebSocketSpec, run_generator
from nightbench.websocket.metrics import websocket_metrics, websocket_validity

GRACE_SECONDS = 15.0
"""How long an interrupted generator may take to drain and disconnect."""


async def run(
    plan: WebSocketPlan, subject: Subject, label: RunLabel, *, on_progress: OnProgress, stop: asyncio.Event
) -> Measurement:
    """Load `subject` as `plan` says; when `stop` is set, end early with an incomplete measurement.

    Raises:
        ConfigurationError: when nothing listens at the subject's address.
        MeasurementError: when the generator gave no result.
    """
    url = subject.websocket_url
    if url is None:
        raise ConfigurationError("NIGHTBENCH_WEBSOCKET_URL", "", "the WebSocket suite needs an address")
    await check_reachable(url)
    run_id = new_id(f"{label.tier}-websocket")
    spec = WebSocketSpec(plan, url, subject.token, run_id)
    result: WebSocketResult = await run_in_child(
        run_generator, spec, on_progress=on_progress, stop=stop, grace=GRACE_SECONDS
    )
    return Measurement(
        run_id=run_id,
        night_id=label.night_id,
        suite="websocket",
        tier=label.tier,
        environment=label.environment,
        started_at=result.started_at,
        duration=result.phases.measured_seconds,
        plan=plan,
        subject={"kind": subject.kind("websocket"), "address": _address(url)},
        host=fingerprint(),
        validity=websocket_validity(result),
        operations=result.counted,
        uncounted=result.uncounted,
        metrics=websocket_metrics(result),
        windows=tuple(window for times in result.times for window in times.windows),
        details={"stray": dict(result.stray)},
    )


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
            scrub(url),
            f"nothing answers at {parts.hostname}:{port}: {_why_unreachable(error)}",
            "start the backend, mend the address, or leave it out to use the embedded one",
        ) from None


def _why_unreachable(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, TimeoutError):
        return "no answer within 5 s"
    return os.strerror(error.errno).lower() if error.errno else str(error).lower()


def _address(url: str) -> str:
    """`url` as it is stored: scrubbed, and without its query, where tickets and tokens travel."""
    return scrub(urlsplit(url)._replace(query="", fragment="").geturl())
