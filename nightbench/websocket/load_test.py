"""One WebSocket load test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
import os
import socket
from urllib.parse import urlsplit

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.host import fingerprint
from nightbench.load.child import run_in_child
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, measured, new_id
from nightbench.plan import WebSocketPlan
from nightbench.scrub import stored_address
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
        MeasurementError: when the generator gave no result, or the embedded backend has ended.
    """
    url = subject.websocket_url
    if url is None:
        raise ConfigurationError("NIGHTBENCH_WEBSOCKET_URL", "", "the WebSocket suite needs an address")
    try:
        await check_reachable(url)
    except ConfigurationError as error:
        if subject.kind("websocket") == "embedded":
            msg = f"the embedded reference backend has ended: {error.problem}"
            raise MeasurementError(msg) from None
        raise
    run_id = new_id(f"{label.tier}-websocket")
    spec = WebSocketSpec(plan, url, subject.token, run_id)
    result: WebSocketResult = await run_in_child(
        run_generator, spec, on_progress=on_progress, stop=stop, grace=GRACE_SECONDS
    )
    return measured(
        result,
        run_id=run_id,
        suite="websocket",
        label=label,
        plan=plan,
        subject={"kind": subject.kind("websocket"), "address": stored_address(url)},
        host=fingerprint(),
        validity=websocket_validity(result),
        metrics=websocket_metrics(result),
        details={"stray": dict(result.stray), "lost": dict(result.lost)},
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
