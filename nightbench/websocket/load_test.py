"""One WebSocket load test: from a plan and a subject to a measurement."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.load.fleet import LOCAL, Fleet
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, measured, new_id
from nightbench.plan import WebSocketPlan
from nightbench.scrub import stored_address
from nightbench.subject import Subject
from nightbench.websocket.metrics import websocket_metrics, websocket_validity
from nightbench.websocket.provisions import Provisions, load_provisions
from nightbench.websocket.records import GREETING, RECONNECTION
from nightbench.websocket.result import WebSocketResult, WebSocketSpec
from nightbench.websocket.shards import lead_of, run_shards

T = TypeVar("T")

SETTING = "--url / NIGHTBENCH_WEBSOCKET_URL"
"""What an error calls the address."""


async def run(
    plan: WebSocketPlan,
    subject: Subject,
    label: RunLabel,
    *,
    on_progress: OnProgress,
    stop: asyncio.Event,
    fleet: Fleet = LOCAL,
) -> Measurement:
    """Load `subject` from `fleet` as `plan` says; when `stop` is set, end early with an incomplete measurement.

    Raises:
        ConfigurationError: when nothing listens at the subject's address, or what the plan names is not there.
        MeasurementError: when the generator gave no result, or the embedded backend has ended.
        NotBegunError: when `stop` was set before the load began.
    """
    url = subject.websocket_url
    if url is None:
        raise ConfigurationError("NIGHTBENCH_WEBSOCKET_URL", "", "the WebSocket suite needs an address")
    provisions = await _unless_stopped(_prepared(plan, subject, url), stop)
    run_id = new_id(f"{label.tier}-websocket")
    spec = WebSocketSpec(plan, url, run_id, provisions)
    async with fleet.crew("websocket", plan.shards, lead=lead_of(spec)) as crew:
        result = await run_shards(spec, crew=crew, on_progress=on_progress, stop=stop)
    return measured(
        _without_idle(result),
        run_id=run_id,
        suite="websocket",
        label=label,
        plan=plan,
        subject={"kind": subject.kind("websocket"), "address": stored_address(url)},
        host=crew.host,
        validity=websocket_validity(result),
        metrics=websocket_metrics(result),
        details={
            "stray": dict(result.stray),
            "lost": dict(result.lost),
            "shards": plan.shards,
            **crew.details,
        },
    )


async def _prepared(plan: WebSocketPlan, subject: Subject, url: str) -> Provisions:
    """All that the load takes along, once its subject is there."""
    provisions = await load_provisions(plan, subject.token)
    try:
        await check_reachable(url)
    except ConfigurationError as error:
        if subject.kind("websocket") == "embedded":
            msg = f"the embedded reference backend has ended: {error.problem}"
            raise MeasurementError(msg) from None
        raise
    return provisions


async def _unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T:
    """The result of `work`, which is cancelled with this, and when `stop` is set first.

    Raises:
        NotBegunError: when it was.
    """
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise NotBegunError
        return await working
    except asyncio.CancelledError as error:
        if stop.is_set():
            raise error from NotBegunError()
        raise
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


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
    except ConnectionResetError:  # by somebody who is there; where nobody is, connections are refused
        return
    except OSError as error:
        raise ConfigurationError(
            SETTING,
            stored_address(url),
            f"nothing answers at {parts.hostname}:{port}: {_why_unreachable(error)}",
            "start the backend or mend the address; where none is set, the embedded one is loaded",
        ) from None


def _why_unreachable(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, TimeoutError):
        return "no answer within 5 s"
    return os.strerror(error.errno).lower() if error.errno else str(error).lower()
