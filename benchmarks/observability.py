"""Observability: what a helper costs while nobody watches, and how true 100,000 decisions of each kind are to their rate."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import sentry_sdk
from sentry_sdk.tracing import Transaction
from sentry_sdk.transport import Transport

from benchmarks.table import Figure, Goal, over_rounds
from nightbench.observability import (
    capture_exception,
    capture_message,
    start_transaction,
    trace_async,
    trace_sync,
)
from nightbench.observability.sampling import PRODUCTION, sampler

CALLS = 100_000
ROUNDS = 7
DECISIONS = 100_000
SEED = 6

_KINDS: dict[str, tuple[float, str, str]] = {
    "health checks": (PRODUCTION.health, "http", "/health"),
    "WebSocket connections": (PRODUCTION.websocket, "websocket", "/api/v1/pam"),
    "API endpoints": (PRODUCTION.api, "http", "/api/v1/users"),
    "anything else": (PRODUCTION.other, "http", "/"),
}


def measure(say: Callable[[str], None]) -> list[Figure]:
    """CPU time of calls while Sentry is off, then decisions of the SDK with our sampler."""
    figures = []
    for name, costs in (("plain calls", _plain_costs), ("coroutines", _coroutine_costs)):
        say(name)
        rounds = [costs() for _ in range(ROUNDS)]
        figures += [
            over_rounds(
                f"{what}, off, beside the bare function", [each[what] for each in rounds], "µs", Goal("<", 2)
            )
            for what in rounds[0]
        ]
    say("importing")
    figures.append(Figure("importing nightbench.observability", _import_milliseconds(), "ms of CPU"))
    for kind, (rate, *scope) in _KINDS.items():
        say(f"decisions, {kind}")
        share = _share(*scope)
        off = abs(share - rate) * 100
        note = f"{share:.2%} of {DECISIONS:,}"
        figures.append(
            Figure(f"{kind}: off their {rate:.0%}", off, "percentage points", Goal("<=", 1), note=note)
        )
    return figures


def _bare() -> None:
    """What is traced: nothing, so that all of the time is the tracing's."""


async def _bare_coroutine() -> None:
    """The same for coroutines."""


def _plain_costs() -> dict[str, float]:
    error = ValueError()
    traced = trace_sync(op="bench")(_bare)

    def in_transaction() -> None:
        with start_transaction("bench", "bench"):
            _bare()

    bare = _each(_bare)
    return {
        "trace_sync": _each(traced) - bare,
        "start_transaction": _each(in_transaction) - 2 * bare,  # its function is one, and what it calls
        "capture_exception": _each(lambda: capture_exception(error)) - bare,
        "capture_message": _each(lambda: capture_message("text")) - bare,
    }


def _each(call: Callable[[], object]) -> float:
    """CPU time of a call, in µs."""
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS * 1e6


def _coroutine_costs() -> dict[str, float]:
    traced = trace_async(op="bench")(_bare_coroutine)

    async def each(call: Callable[[], Any]) -> float:
        began = time.process_time()
        for _ in range(CALLS):
            await call()
        return (time.process_time() - began) / CALLS * 1e6

    return {"trace_async": asyncio.run(each(traced)) - asyncio.run(each(_bare_coroutine))}


def _import_milliseconds() -> float:
    """Over that of the package itself, which everybody pays who uses any of it."""
    told = []
    for module in ("nightbench.observability", "nightbench"):
        script = f"import {module}, time; print(time.process_time())"
        command = [sys.executable, "-c", script]
        outputs = [subprocess.check_output(command, text=True) for _ in range(ROUNDS)]  # noqa: S603  # our own words
        told.append(min(map(float, outputs)))
    return (told[0] - told[1]) * 1000


class _Nowhere(Transport):
    """Sends nothing."""

    def capture_envelope(self, envelope: object) -> None:
        pass


def _share(kind: str, path: str) -> float:
    """The share that the SDK keeps of requests whose trace ids are drawn with a seed."""
    draws = random.Random(SEED)  # noqa: S311  # no secret
    scope = {"type": kind, "path": path, "headers": []}
    client = sentry_sdk.Client(
        dsn="http://key@127.0.0.1:1/1",
        transport=_Nowhere,
        default_integrations=False,
        auto_enabling_integrations=False,
        traces_sampler=sampler(PRODUCTION),
    )
    kept = 0
    with sentry_sdk.new_scope() as here:
        here.set_client(client)
        for _ in range(DECISIONS):
            begun = Transaction(name="http://127.0.0.1:8000/", trace_id=f"{draws.getrandbits(128):032x}")
            sentry_sdk.start_transaction(begun, custom_sampling_context={"asgi_scope": scope})
            kept += bool(begun.sampled)
    client.close()
    return kept / DECISIONS
